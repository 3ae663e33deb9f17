/**
 * Where the records of one log lie, in 16 bytes each and no objects: a log has up to some hundred thousand. Only the head
 * of a key is kept; whoever reads a record compares the rest.
 */

import { crc32 } from 'node:zlib'
import { bytesOf } from '../../base/bytes.js'
import type { Found } from './record.js'

/** Numbers of a slot: head of the key (2), offset, length; a length of 0 is an empty slot. */
const SLOT = 4

/** Slots of an empty table. */
const LEAST_SLOTS = 64

/** `MRI1`, read little-endian: a table in a file. */
const MAGIC = 0x31_49_52_4d
const HEADER_NUMBERS = 4

/** Open addressing with linear probing, at most half full. */
export class KeyTable {
  #slots = new Uint32Array(LEAST_SLOTS * SLOT)
  #used = 0

  get size(): number {
    return this.#used
  }

  /** Notes a record; a later one of the same key takes its place. */
  set(found: Found): void {
    if ((this.#used + 1) * 2 * SLOT > this.#slots.length) this.#grow()
    const at = this.#find(this.#slots, found.high, found.low)
    if (this.#slots[at + 3] === 0) this.#used++
    this.#slots.set([found.high, found.low, found.offset, found.length], at)
  }

  get(high: number, low: number): { offset: number; length: number } | undefined {
    const at = this.#find(this.#slots, high, low)
    const [offset = 0, length = 0] = [this.#slots[at + 2], this.#slots[at + 3]]
    // A record that was taken out keeps its slot, without a place.
    return length <= 1 ? undefined : { offset, length }
  }

  /** Takes a key out. */
  delete(high: number, low: number): void {
    const at = this.#find(this.#slots, high, low)
    if (this.#slots[at + 3] !== 0) this.#slots[at + 3] = 1
  }

  /** The table as bytes; `end` is how far its log was read. */
  save(end: number): Buffer {
    const header = Uint32Array.of(MAGIC, end, this.#used, 0)
    header[HEADER_NUMBERS - 1] = crc32(bytesOf(this.#slots), crc32(bytesOf(header.subarray(0, 3))))
    return Buffer.concat([bytesOf(header), bytesOf(this.#slots)])
  }

  /** A saved table and how far its log was read; `undefined` where the bytes are none. */
  static load(bytes: Buffer): { table: KeyTable; end: number } | undefined {
    const count = bytes.length / 4 - HEADER_NUMBERS
    const isTable = Number.isInteger(count) && count >= LEAST_SLOTS * SLOT && (count & (count - 1)) === 0
    if (!isTable) return undefined
    const numbers = new Uint32Array(count + HEADER_NUMBERS)
    bytesOf(numbers).set(bytes)
    const [magic, end = 0, used = 0, checksum] = numbers
    const slots = numbers.slice(HEADER_NUMBERS)
    if (magic !== MAGIC || checksum !== crc32(bytesOf(slots), crc32(bytesOf(numbers.subarray(0, 3))))) {
      return undefined
    }
    const table = new KeyTable()
    table.#slots = slots
    table.#used = used
    return { table, end }
  }

  #find(slots: Uint32Array, high: number, low: number): number {
    const mask = slots.length / SLOT - 1
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const at = slot * SLOT
      if (slots[at + 3] === 0 || (slots[at] === high && slots[at + 1] === low)) return at
    }
  }

  #grow(): void {
    const old = this.#slots
    const slots = new Uint32Array(old.length * 2)
    for (let from = 0; from < old.length; from += SLOT) {
      if (old[from + 3] === 0) continue
      const at = this.#find(slots, old[from] ?? 0, old[from + 1] ?? 0)
      slots.set(old.subarray(from, from + SLOT), at)
    }
    this.#slots = slots
  }
}
