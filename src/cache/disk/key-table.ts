/**
 * Where the records of one log lie, in 16 bytes each and no objects: a log has up to some hundred thousand. Only the head
 * of a key is kept; whoever reads a record compares the rest.
 */

import { crc32 } from 'node:zlib'
import { bytesOf } from '../../base/bytes.js'
import { type SlotLayout, SlotTable } from '../../base/slot-table.js'
import type { Found } from './record.js'

/** Numbers of a slot: head of the key (2), offset, length; a length of 0 is an empty slot. */
const SLOT = 4

/** The second half of a key's head begins the search; files hold tables, so it cannot change. */
const LAYOUT: SlotLayout = { slot: SLOT, key: 2, probe: 1 }

/** Slots of an empty table. */
const LEAST_SLOTS = 64

/** `MRI1`, read little-endian: a table in a file. */
const MAGIC = 0x31_49_52_4d
const HEADER_NUMBERS = 4

/** Where records lie, by the heads of their keys. */
export class KeyTable {
  readonly #slots: SlotTable

  constructor(slots = SlotTable.empty(LAYOUT, LEAST_SLOTS)) {
    this.#slots = slots
  }

  get size(): number {
    return this.#slots.used
  }

  /** Notes a record; a later one of the same key takes its place. */
  set({ high, low, offset, length }: Found): void {
    const at = this.#slots.take([high, low])
    this.#slots.numbers.set([offset, length], at + 2)
  }

  get(high: number, low: number): { offset: number; length: number } | undefined {
    const at = this.#slots.find([high, low])
    const { numbers } = this.#slots
    const [offset = 0, length = 0] = [numbers[at + 2], numbers[at + 3]]
    // A record that was taken out keeps its slot, without a place.
    return length <= 1 ? undefined : { offset, length }
  }

  /** Takes a key out. */
  delete(high: number, low: number): void {
    const at = this.#slots.find([high, low])
    if (this.#slots.isUsed(at)) this.#slots.numbers[at + 3] = 1
  }

  /** The table as bytes; `end` is how far its log was read. */
  save(end: number): Buffer {
    const { numbers, used } = this.#slots
    const header = Uint32Array.of(MAGIC, end, used, 0)
    header[HEADER_NUMBERS - 1] = crc32(bytesOf(numbers), crc32(bytesOf(header.subarray(0, 3))))
    return Buffer.concat([bytesOf(header), bytesOf(numbers)])
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
    return { table: new KeyTable(new SlotTable(LAYOUT, slots, used)), end }
  }
}
