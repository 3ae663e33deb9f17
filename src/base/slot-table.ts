/**
 * A hash table in one typed array, for hundreds of thousands of keys that would be too many as objects. Keys are numbers that
 * are random already, such as parts of a hash. It knows where the slot of a key is; what the numbers of a slot mean is for its
 * two users to say: the index of a cache's log, and what a journal knows of documents.
 */

/** How a slot is laid out: the numbers of the key first, and last a number that is not 0 where the slot is used. */
export interface SlotLayout {
  /** Numbers of a slot. */
  slot: number
  /** How many of them are the key. */
  key: number
  /** Which number of the key says where the search for its slot begins. */
  probe: number
}

/** Open addressing with linear probing, at most half full. */
export class SlotTable {
  readonly #layout: SlotLayout
  #numbers: Uint32Array
  #used: number

  /** An empty table with `leastSlots` slots, a power of 2. */
  static empty(layout: SlotLayout, leastSlots: number): SlotTable {
    return new SlotTable(layout, new Uint32Array(leastSlots * layout.slot), 0)
  }

  /** A table over the numbers of another one that held `used` keys. */
  constructor(layout: SlotLayout, numbers: Uint32Array, used: number) {
    this.#layout = layout
    this.#numbers = numbers
    this.#used = used
  }

  /** All slots, one after the other. `take` may replace the array. */
  get numbers(): Uint32Array {
    return this.#numbers
  }

  /** Keys that have a slot. */
  get used(): number {
    return this.#used
  }

  /** Whether the slot that begins at `at` is some key's. */
  isUsed(at: number): boolean {
    return this.#numbers[at + this.#layout.slot - 1] !== 0
  }

  /** Where the slot of the key begins; where it has none, an unused slot. */
  find(key: ArrayLike<number>): number {
    const { slot: width, probe } = this.#layout
    const mask = this.#numbers.length / width - 1
    for (let slot = (key[probe] ?? 0) & mask; ; slot = (slot + 1) & mask) {
      const at = slot * width
      if (!this.isUsed(at) || this.#isAt(at, key)) return at
    }
  }

  /** Where the slot of the key begins, with the key in it. A slot that is new is used once its last number is not 0. */
  take(key: ArrayLike<number>): number {
    if ((this.#used + 1) * 2 * this.#layout.slot > this.#numbers.length) this.#grow()
    const at = this.find(key)
    if (!this.isUsed(at)) {
      this.#numbers.set(key, at)
      this.#used++
    }
    return at
  }

  #isAt(at: number, key: ArrayLike<number>): boolean {
    for (let i = 0; i < this.#layout.key; i++) if (this.#numbers[at + i] !== key[i]) return false
    return true
  }

  #grow(): void {
    const { slot: width, key } = this.#layout
    const old = this.#numbers
    this.#numbers = new Uint32Array(old.length * 2)
    for (let from = 0; from < old.length; from += width) {
      if (old[from + width - 1] === 0) continue
      this.#numbers.set(old.subarray(from, from + width), this.find(old.subarray(from, from + key)))
    }
  }
}
