/**
 * The source that a stream pulls from, and the records that are under way: they are kept from when their item went in
 * until its row came out, so there are never more than the stream's window holds.
 */

import { MillraceError } from '../../../index.js'
import type { InputRecord } from '../input/records.js'
import type { RowRecord } from './batch.js'

/** Old entries of the queue are cut off when this many are there: often enough, and cheap beside a run. */
const COMPACT_AT = 4096

/** Feeds one stream. */
export class Feed<T> {
  readonly #records: AsyncIterable<InputRecord<T>>
  readonly #collect: boolean
  #queue: RowRecord[] = []
  #head = 0
  #delivered = 0

  /** `collect`: a record without item becomes a failed row; else it ends the run with its problem. */
  constructor(records: AsyncIterable<InputRecord<T>>, collect: boolean) {
    this.#records = records
    this.#collect = collect
  }

  /** The items, once. */
  async *items(): AsyncGenerator<T, void, undefined> {
    for await (const record of this.#records) {
      if (record.problem !== undefined && !this.#collect) throw record.problem
      const { item, ...rest } = record
      this.#queue.push(rest)
      // With `errors: 'collect'`, what is no item is reported as the error of its row.
      yield item as T
    }
  }

  /** The records of the next `length` rows; they are forgotten here. */
  take(length: number): RowRecord[] {
    const taken = this.#queue.slice(this.#head, this.#head + length)
    this.#head += length
    this.#delivered += length
    if (this.#head >= COMPACT_AT) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    return taken
  }

  /** How far the input is read when `done` rows are computed, in the unit of the records' `end`. */
  endOf(done: number): number {
    const at = this.#head + Math.max(done - this.#delivered, 0) - 1
    return this.#queue[Math.min(at, this.#queue.length - 1)]?.end ?? 0
  }

  /** The same error saying which line it is about, if it is about one. */
  withPlace(error: unknown): unknown {
    if (!(error instanceof MillraceError) || error.index === undefined) return error
    const record = this.#queue[this.#head + error.index - this.#delivered]
    if (record === undefined) return error
    const { code, message, index } = error
    return new MillraceError(code, atPlace(record.place, message), { index, cause: error })
  }
}

/** A message that says where, once: those about files begin with them already. */
export function atPlace(place: string, message: string): string {
  return message.startsWith(place) ? message : `${place}: ${message}`
}
