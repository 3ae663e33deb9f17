/**
 * What a journal knows of each document, in 36 bytes each (at most half full, so up to 144 with growth) and no objects: a store may
 * have millions. Ids and contents are known by 128 bits of their BLAKE3 names.
 */

import { type SlotLayout, SlotTable } from '../../base/slot-table.js'

/** What became of a document. */
export const Outcome = {
  /** Nothing is in the store. */
  none: 0,
  written: 1,
  /** Left out: too short, of another language, nothing to embed. */
  dropped: 2,
  /** Left out: it repeats another document. */
  duplicate: 3,
  /** Told to the dead letters. */
  failed: 4,
  /** It was being written when the process ended: some of it may be in the store. */
  begun: 5,
} as const

export type Outcome = (typeof Outcome)[keyof typeof Outcome]

/** What is known of a document. */
export interface Known {
  outcome: Outcome
  /** Name of its content; of one that was begun, of nothing. */
  content: string
}

/** Numbers of a slot: name of the id (4), name of the content (4), outcome and marks (1). */
const SLOT = 9
const FLAGS = 8

/** The slot is used. */
const USED = 0x100
/** The document came in this run. */
const SEEN = 0x200

/** The last number of a name chooses the part, so its first one begins the search. */
const LAYOUT: SlotLayout = { slot: SLOT, key: 4, probe: 0 }

/** Slots of an empty part. */
const LEAST_SLOTS = 16

/** Parts that grow by themselves: of a table of millions, moving a part takes about a millisecond of the event loop. */
const PARTS = 256

/** Hexadecimal digits of a name that are kept. */
const DIGITS = 32

/** What is known of documents, by the names of their ids. */
export class DocumentTable {
  readonly #parts: (SlotTable | undefined)[] = new Array(PARTS)

  /** Ids that were ever noted. */
  get size(): number {
    return this.#parts.reduce((sum, part) => sum + (part?.used ?? 0), 0)
  }

  get bytes(): number {
    return this.#parts.reduce((sum, part) => sum + (part?.numbers.byteLength ?? 0), 0)
  }

  get(name: string): Known | undefined {
    const key = numbersOf(name)
    const part = this.#parts[placeOf(key)]
    if (part === undefined) return undefined
    const at = part.find(key)
    if (!part.isUsed(at)) return undefined
    const { numbers } = part
    const outcome = ((numbers[at + FLAGS] ?? 0) & 0xff) as Outcome
    return { outcome, content: hexOf(numbers.subarray(at + 4, at + 8)) }
  }

  set(name: string, outcome: Outcome, content = ''): void {
    const { numbers, at, flags } = this.#slotOf(name)
    numbers.set(numbersOf(content), at + 4)
    numbers[at + FLAGS] = (flags & ~0xff) | outcome
  }

  /** Marks a document as seen in this run; false when it was before. */
  see(name: string): boolean {
    const { numbers, at, flags } = this.#slotOf(name)
    numbers[at + FLAGS] = flags | SEEN
    return (flags & SEEN) === 0
  }

  /** How many documents have the outcome; with `unseen` only those that did not come in this run. */
  count(outcome: Outcome, { unseen = false } = {}): number {
    let found = 0
    for (const part of this.#parts) {
      for (let at = FLAGS; part !== undefined && at < part.numbers.length; at += SLOT) {
        const flags = part.numbers[at] ?? 0
        if ((flags & USED) === 0 || (flags & 0xff) !== outcome) continue
        if (!unseen || (flags & SEEN) === 0) found++
      }
    }
    return found
  }

  /** Forgets what was seen, for another run. */
  forgetSeen(): void {
    for (const part of this.#parts) {
      for (let at = FLAGS; part !== undefined && at < part.numbers.length; at += SLOT) {
        part.numbers[at] = (part.numbers[at] ?? 0) & ~SEEN
      }
    }
  }

  /** Where the document is, with a new slot if need be. */
  #slotOf(name: string): { numbers: Uint32Array; at: number; flags: number } {
    const key = numbersOf(name)
    const place = placeOf(key)
    const part = this.#parts[place] ?? SlotTable.empty(LAYOUT, LEAST_SLOTS)
    this.#parts[place] = part
    const at = part.take(key)
    const { numbers } = part
    return { numbers, at, flags: (numbers[at + FLAGS] ?? 0) | USED }
  }
}

/** Not the number that a part begins to look at. */
function placeOf(key: Uint32Array): number {
  return (key[3] ?? 0) % PARTS
}

/** The part of a name that the table and the journal keep. */
export function shortName(name: string): string {
  return name.slice(0, DIGITS)
}

function numbersOf(name: string): Uint32Array {
  const numbers = new Uint32Array(4)
  for (let i = 0; i < 4; i++) numbers[i] = Number.parseInt(name.slice(8 * i, 8 * i + 8) || '0', 16)
  return numbers
}

function hexOf(numbers: Uint32Array): string {
  return Array.from(numbers, (number) => number.toString(16).padStart(8, '0')).join('')
}
