/** Rows as .npy, JSON lines or plain float32. A writer gets batches in input order with the records of their rows. */

import type { DenseBatch, DType } from '../../../index.js'
import { halfTable } from '../half.js'
import type { TextRecord } from '../input/records.js'
import type { Destination } from './destination.js'
import { type NpyDescr, npyHeader } from './npy.js'

/** Names that a kept field cannot have. */
export const RESERVED_FIELDS: readonly string[] = [
  'index',
  'tokens',
  'truncated',
  'scale',
  'error',
  'embedding',
]

/** Takes batches, then `finish` once. */
export interface RowWriter {
  write(batch: DenseBatch<DType>, records: readonly TextRecord[]): Promise<void>
  /** Completes the content; committing the destination is the caller's. */
  finish(): Promise<void>
}

const DESCR: Readonly<Record<DType, NpyDescr>> = {
  float32: '<f4',
  float16: '<f2',
  int8: '|i1',
  uint8: '|u1',
  binary: '|i1',
  ubinary: '|u1',
}

/** Values of a row. */
export function rowWidth(dtype: DType, dim: number): number {
  return dtype === 'binary' || dtype === 'ubinary' ? Math.ceil(dim / 8) : dim
}

/**
 * A .npy matrix; a failed row is zeros. The header is written again in the end, when the row count is known, so
 * the destination must be rewindable. `scales` gets the rows' scales as a second matrix of one column.
 */
export class NpyWriter implements RowWriter {
  readonly #to: Destination
  readonly #scales: Destination | undefined
  readonly #descr: NpyDescr
  #width: number
  #rows = 0
  #started = false

  constructor(to: Destination, dtype: DType, width: number, scales?: Destination) {
    this.#to = to
    this.#scales = scales
    this.#descr = DESCR[dtype]
    this.#width = width
  }

  async write(batch: DenseBatch<DType>): Promise<void> {
    await this.#start()
    this.#width = batch.data.length / batch.length
    this.#rows += batch.length
    await this.#to.write(bytesOf(batch.data))
    if (this.#scales !== undefined && batch.scales !== undefined)
      await this.#scales.write(bytesOf(batch.scales))
  }

  async finish(): Promise<void> {
    await this.#start()
    await this.#to.writeStart(npyHeader(this.#descr, this.#rows, this.#width))
    await this.#scales?.writeStart(npyHeader('<f4', this.#rows, 1))
  }

  async #start(): Promise<void> {
    if (this.#started) return
    this.#started = true
    await this.#to.write(npyHeader(this.#descr, 0, this.#width))
    await this.#scales?.write(npyHeader('<f4', 0, 1))
  }
}

/** The values of all rows, one after the other; a failed row is zeros. */
export class RawWriter implements RowWriter {
  readonly #to: Destination

  constructor(to: Destination) {
    this.#to = to
  }

  write(batch: DenseBatch<DType>): Promise<void> {
    return this.#to.write(bytesOf(batch.data))
  }

  async finish(): Promise<void> {}
}

/** A JSON record a line. A failed row has `error` instead of `embedding`. */
export class JsonlWriter implements RowWriter {
  readonly #to: Destination

  constructor(to: Destination) {
    this.#to = to
  }

  async write(batch: DenseBatch<DType>, records: readonly TextRecord[]): Promise<void> {
    let lines = ''
    for (let i = 0; i < batch.length; i++) lines += `${JSON.stringify(rowOf(batch, i, records[i]))}\n`
    await this.#to.write(lines)
  }

  async finish(): Promise<void> {}
}

function rowOf(batch: DenseBatch<DType>, i: number, record: TextRecord | undefined): object {
  const index = batch.indexOf(i)
  const kept = record?.kept
  const error = record?.problem ?? batch.errors.get(index)
  if (error !== undefined) return { index, ...kept, error: { code: error.code, message: error.message } }
  const row = batch.row(i)
  return {
    index,
    ...kept,
    tokens: batch.tokens[i],
    truncated: batch.truncated[i] === 1,
    ...(batch.scales !== undefined && { scale: batch.scales[i] }),
    embedding: row instanceof Uint16Array ? Array.from(row, (bits) => halfTable()[bits]) : Array.from(row),
  }
}

/** The memory of the values; every platform with an addon is little-endian, as the formats are. */
function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
