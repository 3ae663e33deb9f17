/**
 * One input of a cached call, and what the parts of the call ask of it. The parts are `call-window.ts` (how much is under way),
 * `look-ups.ts` (keys, and rows that tiers have), `leads.ts` (equal inputs that wait for one row) and `native-feed.ts` (what is
 * embedded). `cached-job.ts` puts them together.
 */

import type { Row } from './assemble.js'
import type { Inputs } from './keyed-inputs.js'
import type { Leads } from './leads.js'

/** One input, from its push until its row is finished. */
export interface Slot {
  call: CachedCall
  /** Position among the call's inputs. */
  index: number
  inputs: Inputs
  /** Its place in `inputs`. */
  place: number
  /** Absent where it has none, such as a file that cannot be read, and until it is known. */
  key: string | undefined
  /** Characters or bytes that the call holds for it; 0 once they are handed on. */
  size: number
}

/** A call, as its parts and the parts of other calls see it. */
export interface CachedCall {
  /** Equal inputs that wait for rows of this call. */
  readonly leads: Leads
  /** Whether it can still embed: neither over nor broken. */
  readonly isAlive: boolean
  /** Takes an entry as the slot's row, without having computed it. Does nothing when the call is over. */
  give(slot: Slot, entry: Uint8Array): void
  /** Puts a finished row, or its error, in its place. Does nothing when the call is over. */
  deliver(slot: Slot, row: Row): void
  /** Embeds the slots, as soon as the native job has room. */
  embed(slots: readonly Slot[]): void
  /** Takes rows out of the native job, as somebody waits for them. */
  drain(): void
  /** Tells the reader and the source what has changed. */
  notify(): void
}
