/** The native job below a cached call: it gets what no tier has, and gives rows while somebody waits for some. */

import { isNativeError } from '../base/errors.js'
import type { NativeBatch, NativeError, NativeJob } from '../binding/types.js'
import type { CacheEntry, TieredCache } from '../options/cache.js'
import type { CallWindow } from './call-window.js'
import { entryOf } from './entry.js'
import type { CachedCall, Slot } from './slot.js'

/** What the feed asks of its call besides what every part may ask. */
export interface FeedingCall extends CachedCall {
  readonly isOver: boolean
  /** Whether the model closes: then everything goes in, whether there is room or not. */
  readonly isRefused: boolean
  /** Whether somebody waits for a row of this call. */
  readonly isWanted: boolean
  /** The native job has ended early. */
  break(error: NativeError): void
  /** Slots have gone into the native job, so there is room for others. */
  fed(): void
}

/** The native job of one call. */
export class NativeFeed {
  readonly #call: FeedingCall
  readonly #window: CallWindow
  readonly #cache: TieredCache
  readonly #inner: NativeJob
  /** Slots to embed that the native window had no room for yet. */
  #waiting: Slot[] = []
  /** Slots in the native job, by their position there. */
  readonly #running = new Map<number, Slot>()
  #pushed = 0
  #received = 0
  /** Inputs that the native window has room for, as far as it said; 0 asks again. */
  #room = 0
  #isDraining = false

  constructor(call: FeedingCall, window: CallWindow, cache: TieredCache, inner: NativeJob) {
    this.#call = call
    this.#window = window
    this.#cache = cache
    this.#inner = inner
  }

  /** Slots that wait for the native window. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Rows that came out of the native job. */
  get received(): number {
    return this.#received
  }

  add(slots: readonly Slot[]): void {
    this.#waiting.push(...slots)
  }

  /** Moves waiting slots into the native job, as far as it has room; all of them when the model closes. */
  feed(): void {
    while (this.#waiting.length > 0 && this.#call.isAlive) {
      if (this.#room <= 0 && !this.#takeRoom(this.#inner.push([]))) return
      if (this.#room <= 0 && !this.#call.isRefused) break
      const slots = this.#waiting.splice(0, this.#call.isRefused ? this.#waiting.length : this.#room)
      for (const slot of slots) {
        this.#running.set(this.#pushed++, slot)
        this.#window.hold(slot, 0)
      }
      if (!this.#takeRoom(slots[0]?.inputs.push(this.#inner, slots) ?? 0)) return
    }
    this.#call.fed()
    this.drain()
  }

  /** Takes rows out of the native job while somebody waits for some. */
  drain(): void {
    if (this.#isDraining || !this.#drains()) return
    this.#isDraining = true
    void this.#drainAll()
  }

  /** Forgets everything; the native job is cancelled by the call. */
  clear(): void {
    this.#waiting = []
    this.#running.clear()
  }

  /** False when the native job has ended, which the call was told. */
  #takeRoom(room: number | NativeError): boolean {
    if (isNativeError(room)) {
      this.#call.break(room)
      return false
    }
    this.#room = room
    return true
  }

  #drains(): boolean {
    return this.#call.isWanted && this.#running.size > 0 && this.#call.isAlive
  }

  async #drainAll(): Promise<void> {
    while (this.#drains()) {
      const answer = await this.#inner.next()
      if (this.#call.isOver) break
      if (answer === null) this.#call.break({ code: 'INTERNAL', message: 'The job ended before its rows' })
      else if (isNativeError(answer)) this.#call.break(answer)
      else this.#receive(answer)
    }
    this.#isDraining = false
  }

  #receive(batch: NativeBatch): void {
    this.#window.takeForm(batch)
    this.#room = 0
    this.#received += batch.length
    const failed = new Map(batch.errors.map((error) => [error.index ?? -1, error]))
    const fresh: CacheEntry[] = []
    for (let i = 0; i < batch.length; i++) {
      const at = batch.positions?.[i] ?? batch.offset + i
      const slot = this.#running.get(at)
      if (slot === undefined) continue
      this.#running.delete(at)
      const error = failed.get(at)
      if (error !== undefined) {
        this.#call.leads.fail(slot, error)
        continue
      }
      const entry = entryOf(slot.key ?? '', batch, i)
      if (slot.key !== undefined) fresh.push([slot.key, entry])
      this.#window.computed(entry)
      this.#call.leads.land(slot, entry)
    }
    this.#cache.put(fresh)
    this.feed()
    this.#call.notify()
  }
}
