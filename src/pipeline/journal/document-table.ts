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

const LEAST_SLOTS = 256

/** Hexadecimal digits of a name that are kept. */
const DIGITS = 32

/** Open addressing with linear probing, at most half full. */
export class DocumentTable {
  #slots = new Uint32Array(LEAST_SLOTS * SLOT)
  #used = 0

  /** Ids that were ever noted. */
  get size(): number {
    return this.#used
  }

  get bytes(): number {
    return this.#slots.byteLength
  }

  get(name: string): Known | undefined {
    const at = this.#find(this.#slots, numbersOf(name))
    const flags = this.#slots[at + FLAGS] ?? 0
    if ((flags & USED) === 0) return undefined
    return { outcome: (flags & 0xff) as Outcome, content: hexOf(this.#slots.subarray(at + 4, at + 8)) }
  }

  set(name: string, outcome: Outcome, content = ''): void {
    const at = this.#slotOf(name)
    this.#slots.set(numbersOf(content), at + 4)
    this.#slots[at + FLAGS] = ((this.#slots[at + FLAGS] ?? 0) & ~0xff) | outcome
  }

  /** Marks a document as seen in this run; false when it was before. */
  see(name: string): boolean {
    const at = this.#slotOf(name)
    const flags = this.#slots[at + FLAGS] ?? 0
    this.#slots[at + FLAGS] = flags | SEEN
    return (flags & SEEN) === 0
  }

  isSeen(name: string): boolean {
    const at = this.#find(this.#slots, numbersOf(name))
    return ((this.#slots[at + FLAGS] ?? 0) & SEEN) !== 0
  }

  /** How many documents have the outcome. */
  count(outcome: Outcome): number {
    let found = 0
    for (let at = FLAGS; at < this.#slots.length; at += SLOT) {
      const flags = this.#slots[at] ?? 0
      if ((flags & USED) !== 0 && (flags & 0xff) === outcome) found++
    }
    return found
  }

  /** Forgets what was seen, for another run. */
  forgetSeen(): void {
    for (let at = FLAGS; at < this.#slots.length; at += SLOT) this.#slots[at] = (this.#slots[at] ?? 0) & ~SEEN
  }

  #slotOf(name: string): number {
    if ((this.#used + 1) * 2 * SLOT > this.#slots.length) this.#grow()
    const key = numbersOf(name)
    const at = this.#find(this.#slots, key)
    if (((this.#slots[at + FLAGS] ?? 0) & USED) === 0) {
      this.#slots.set(key, at)
      this.#slots[at + FLAGS] = USED | Outcome.none
      this.#used++
    }
    return at
  }

  #find(slots: Uint32Array, key: Uint32Array): number {
    const count = slots.length / SLOT
    for (let slot = (key[0] ?? 0) % count; ; slot = (slot + 1) % count) {
      const at = slot * SLOT
      const free = ((slots[at + FLAGS] ?? 0) & USED) === 0
      if (
        free ||
        (slots[at] === key[0] &&
          slots[at + 1] === key[1] &&
          slots[at + 2] === key[2] &&
          slots[at + 3] === key[3])
      ) {
        return at
      }
    }
  }

  #grow(): void {
    const old = this.#slots
    const slots = new Uint32Array(old.length * 2)
    for (let from = 0; from < old.length; from += SLOT) {
      if (((old[from + FLAGS] ?? 0) & USED) === 0) continue
      slots.set(old.subarray(from, from + SLOT), this.#find(slots, old.subarray(from, from + 4)))
    }
    this.#slots = slots
  }
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
