/**
 * What a journal knows of each document, in 36 bytes each (at most half full, so up to 144 with growth) and no objects: a store may
 * have millions. Ids and contents are known by 128 bits of their BLAKE3 names.
 */

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

const LEAST_SLOTS = 16

/** Parts that grow by themselves: of a table of millions, moving a part takes about a millisecond of the event loop. */
const PARTS = 256

/** Hexadecimal digits of a name that are kept. */
const DIGITS = 32

/** What is known of documents, by the names of their ids. */
export class DocumentTable {
  readonly #parts: (Part | undefined)[] = new Array(PARTS)

  /** Ids that were ever noted. */
  get size(): number {
    return this.#parts.reduce((sum, part) => sum + (part?.used ?? 0), 0)
  }

  get bytes(): number {
    return this.#parts.reduce((sum, part) => sum + (part?.slots.byteLength ?? 0), 0)
  }

  get(name: string): Known | undefined {
    const key = numbersOf(name)
    const part = this.#parts[placeOf(key)]
    if (part === undefined) return undefined
    const at = part.find(key)
    const flags = part.slots[at + FLAGS] ?? 0
    if ((flags & USED) === 0) return undefined
    return { outcome: (flags & 0xff) as Outcome, content: hexOf(part.slots.subarray(at + 4, at + 8)) }
  }

  set(name: string, outcome: Outcome, content = ''): void {
    const key = numbersOf(name)
    const part = this.#partOf(key)
    const at = part.slotOf(key)
    part.slots.set(numbersOf(content), at + 4)
    part.slots[at + FLAGS] = ((part.slots[at + FLAGS] ?? 0) & ~0xff) | outcome
  }

  /** Marks a document as seen in this run; false when it was before. */
  see(name: string): boolean {
    const key = numbersOf(name)
    const part = this.#partOf(key)
    const at = part.slotOf(key)
    const flags = part.slots[at + FLAGS] ?? 0
    part.slots[at + FLAGS] = flags | SEEN
    return (flags & SEEN) === 0
  }

  /** How many documents have the outcome; with `unseen` only those that did not come in this run. */
  count(outcome: Outcome, { unseen = false } = {}): number {
    let found = 0
    for (const part of this.#parts) {
      for (let at = FLAGS; part !== undefined && at < part.slots.length; at += SLOT) {
        const flags = part.slots[at] ?? 0
        if ((flags & USED) === 0 || (flags & 0xff) !== outcome) continue
        if (!unseen || (flags & SEEN) === 0) found++
      }
    }
    return found
  }

  /** Forgets what was seen, for another run. */
  forgetSeen(): void {
    for (const part of this.#parts) {
      for (let at = FLAGS; part !== undefined && at < part.slots.length; at += SLOT) {
        part.slots[at] = (part.slots[at] ?? 0) & ~SEEN
      }
    }
  }

  #partOf(key: Uint32Array): Part {
    const place = placeOf(key)
    const part = this.#parts[place] ?? new Part()
    this.#parts[place] = part
    return part
  }
}

/** Not the number that a part begins to look at. */
function placeOf(key: Uint32Array): number {
  return (key[3] ?? 0) % PARTS
}

/** Open addressing with linear probing, at most half full. */
class Part {
  slots = new Uint32Array(LEAST_SLOTS * SLOT)
  used = 0

  /** Where the document is, with a new slot if need be. */
  slotOf(key: Uint32Array): number {
    if ((this.used + 1) * 2 * SLOT > this.slots.length) this.#grow()
    const at = this.find(key)
    if (((this.slots[at + FLAGS] ?? 0) & USED) === 0) {
      this.slots.set(key, at)
      this.slots[at + FLAGS] = USED | Outcome.none
      this.used++
    }
    return at
  }

  /** Where the document is or would be. */
  find(key: Uint32Array): number {
    const { slots } = this
    const count = slots.length / SLOT
    for (let slot = (key[0] ?? 0) % count; ; slot = (slot + 1) % count) {
      const at = slot * SLOT
      if (((slots[at + FLAGS] ?? 0) & USED) === 0 || isAt(slots, at, key)) return at
    }
  }

  #grow(): void {
    const old = this.slots
    this.slots = new Uint32Array(old.length * 2)
    for (let from = 0; from < old.length; from += SLOT) {
      if (((old[from + FLAGS] ?? 0) & USED) === 0) continue
      this.slots.set(old.subarray(from, from + SLOT), this.find(old.subarray(from, from + 4)))
    }
  }
}

function isAt(slots: Uint32Array, at: number, key: Uint32Array): boolean {
  for (let i = 0; i < 4; i++) if (slots[at + i] !== key[i]) return false
  return true
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
