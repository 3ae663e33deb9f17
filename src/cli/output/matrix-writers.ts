/** Dense rows as a .npy matrix or as plain float32. A failed row is zeros. */

import type { DenseBatch, DType } from '../../../index.js'
import { bytesOf } from '../../base/bytes.js'
import { NPY_DESCR, type NpyDescr, npyHeader } from '../../pipeline/sinks/npy.js'
import type { RowWriter } from '../running/batch.js'
import type { Destination } from './destination.js'

/**
 * A .npy matrix. The header is written again in the end, when the row count is known, so the destination must be
 * rewindable. `scales` gets the rows' scales as a second matrix of one column.
 */
export class NpyWriter implements RowWriter<DenseBatch<DType>> {
  readonly #to: Destination
  readonly #scales: Destination | undefined
  readonly #descr: NpyDescr
  #width: number
  #rows = 0
  #started = false

  constructor(to: Destination, dtype: DType, width: number, scales?: Destination) {
    this.#to = to
    this.#scales = scales
    this.#descr = NPY_DESCR[dtype]
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
    await this.#to.writeStart(npyHeader(this.#descr, [this.#rows, this.#width]))
    await this.#scales?.writeStart(npyHeader('<f4', [this.#rows, 1]))
  }

  async #start(): Promise<void> {
    if (this.#started) return
    this.#started = true
    await this.#to.write(npyHeader(this.#descr, [0, this.#width]))
    await this.#scales?.write(npyHeader('<f4', [0, 1]))
  }
}

/** The values of all rows, one after the other. */
export class RawWriter implements RowWriter<DenseBatch<DType>> {
  readonly #to: Destination

  constructor(to: Destination) {
    this.#to = to
  }

  write(batch: DenseBatch<DType>): Promise<void> {
    return this.#to.write(bytesOf(batch.data))
  }

  async finish(): Promise<void> {}
}
