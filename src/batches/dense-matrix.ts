/** Many dense batches as one, for `toMatrix`: rows in input order in one buffer that grows. */

import type { MillraceError } from '../base/errors.js'
import { ARRAYS, type DType, rowElements } from '../formats/dtype.js'
import type { Collector } from './batch.js'
import { DenseBatch, type VectorOf } from './dense.js'

type Values = Float32Array | Float64Array | Uint32Array | Uint16Array | Int8Array | Uint8Array

/** What a matrix without rows needs to know. */
export interface MatrixShape<D extends DType> {
  dtype: D
  /** Values of a row, if there is no row to tell it. */
  dim: number
  /** Rows to make room for; 0 when unknown. */
  rows: number
}

/** Collects batches of one stream. */
export class DenseMatrix<D extends DType> implements Collector<DenseBatch<D>> {
  readonly #shape: MatrixShape<D>
  readonly #errors = new Map<number, MillraceError>()
  #dim: number
  #rows = 0
  #capacity = 0
  #data: Values
  #tokens = new Uint32Array(0)
  #truncated = new Uint8Array(0)
  #scales: Float32Array | undefined

  constructor(shape: MatrixShape<D>) {
    this.#shape = shape
    this.#dim = shape.dim
    this.#data = new ARRAYS[shape.dtype](0)
  }

  add(batch: DenseBatch<D>): void {
    if (batch.length === 0) return
    this.#dim = batch.dim
    if (batch.scales !== undefined) this.#scales ??= new Float32Array(this.#capacity)
    if (batch.positions === undefined) this.#place(batch, 0, batch.length, batch.offset)
    else for (let i = 0; i < batch.length; i++) this.#place(batch, i, i + 1, batch.indexOf(i))
    for (const [index, error] of batch.errors) this.#errors.set(index, error)
  }

  finish(): DenseBatch<D> {
    const rows = this.#rows
    if (this.#capacity !== rows) this.#resize(rows)
    return new DenseBatch<D>({
      offset: 0,
      length: rows,
      dim: this.#dim,
      dtype: this.#shape.dtype,
      data: this.#data as VectorOf<D>,
      tokens: this.#tokens,
      truncated: this.#truncated,
      ...(this.#scales !== undefined && { scales: this.#scales }),
      errors: this.#errors,
    })
  }

  /** Copies rows `from..to` of the batch to the matrix, the first one to row `at`. */
  #place(batch: DenseBatch<D>, from: number, to: number, at: number): void {
    const end = at + to - from
    if (end > this.#capacity) this.#resize(Math.max(end, this.#shape.rows, this.#capacity * 2))
    this.#rows = Math.max(this.#rows, end)
    const dim = this.#dim
    this.#data.set(batch.data.subarray(from * dim, to * dim), at * dim)
    this.#tokens.set(batch.tokens.subarray(from, to), at)
    this.#truncated.set(batch.truncated.subarray(from, to), at)
    if (batch.scales !== undefined) this.#scales?.set(batch.scales.subarray(from, to), at)
  }

  #resize(rows: number): void {
    this.#capacity = rows
    this.#data = resized(new ARRAYS[this.#shape.dtype](rows * this.#dim), this.#data)
    this.#tokens = resized(new Uint32Array(rows), this.#tokens)
    this.#truncated = resized(new Uint8Array(rows), this.#truncated)
    if (this.#scales !== undefined) this.#scales = resized(new Float32Array(rows), this.#scales)
  }
}

function resized<T extends Values>(target: T, values: Values): T {
  target.set(values.subarray(0, target.length))
  return target
}

/** Values of a call's row, where the model has `dim` dimensions; 0 where it does not tell. */
export function rowValues(
  dim: number | undefined,
  { dimensions, dtype }: { dimensions?: number; dtype: DType },
): number {
  const kept = Math.min(dim ?? 0, dimensions ?? Number.POSITIVE_INFINITY)
  return rowElements(dtype, kept)
}

/** Room for so many values of a format. */
export function valuesOf<D extends DType>(dtype: D, length: number): VectorOf<D> {
  return new ARRAYS[dtype](length) as VectorOf<D>
}
