/** What the functions on vectors share: what vectors are, how they are checked, and how many are handled at a time. */

import { fromNative, invalidOption, isNativeError, MillraceError } from '../base/errors.js'
import { isArrayOf } from '../base/foreign.js'
import type { VectorOf } from '../batches/dense.js'
import type { NativeError } from '../binding/types.js'
import type { DType } from '../formats/dtype.js'
import { positiveInteger } from '../options/check.js'
import type { QuantizationRanges } from './ranges.js'

/** Rows of vectors in one format; a {@link DenseBatch} is one. */
export interface VectorRows<D extends DType = DType> {
  /** Format of the values. */
  readonly dtype: D
  /** All rows, row-major. A row of binary or ubinary is a byte for every eight dimensions, of the others a value each. */
  readonly data: VectorOf<D>
  /** int8 and uint8 without ranges: what each row's levels are multiplied by. */
  readonly scales?: Float32Array
  /** int8 and uint8 without scales: what the levels stand for. */
  readonly ranges?: QuantizationRanges
}

/** What {@link quantize} makes. */
export interface QuantizedVectors<D extends DType = DType> extends VectorRows<D> {
  /** Dimensions of a vector. */
  readonly dim: number
  /** Rows. */
  readonly length: number
}

/** Bytes of input copied for the addon at a time: some 100 microseconds of the event loop, and little to hold. */
const BLOCK_BYTES = 1024 * 1024

/**
 * The rows that `data` has of `width` values each.
 *
 * @throws MillraceError INVALID_OPTION for another array; INPUT_INVALID for values that do not make whole rows.
 */
export function rowCount(name: string, data: unknown, width: number): number {
  const length = (data as ArrayLike<unknown>).length
  if (length % width === 0) return length / width
  throw new MillraceError(
    'INPUT_INVALID',
    `Expected whole rows of ${width} values for ${name} but received ${length} values`,
  )
}

/** The value, if it is a Float32Array. */
export function float32Array(name: string, value: unknown): Float32Array {
  if (!isArrayOf('Float32Array', value)) throw invalidOption(name, 'Float32Array', value)
  return value
}

/** Checks float32 vectors and returns how many there are. */
export function vectorCount(name: string, vectors: unknown, dim: unknown): number {
  return rowCount(name, float32Array(name, vectors), positiveInteger('dim', dim))
}

/**
 * Calls `work` with one block of rows after the other, each as `[from, to)`, and throws its errors with the number of the
 * row they concern among all rows.
 */
export async function inBlocks<T>(
  rows: number,
  rowBytes: number,
  work: (from: number, to: number) => Promise<T | NativeError>,
  done: (answer: T, from: number) => void,
): Promise<void> {
  const most = Math.max(1, Math.floor(BLOCK_BYTES / rowBytes))
  for (let from = 0; from < rows; from += most) {
    const answer = await work(from, Math.min(from + most, rows))
    if (!isNativeError(answer)) done(answer, from)
    else throw fromNative(answer.index === undefined ? answer : { ...answer, index: from + answer.index })
  }
}
