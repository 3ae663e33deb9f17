/** float32 vectors to another format and back: the formats of `dtype`, for vectors that come from anywhere. */

import { invalidOption, MillraceError } from '../base/errors.js'
import { isArrayOf, type TypedArrays } from '../base/foreign.js'
import { isRecord } from '../base/is.js'
import type { VectorOf } from '../batches/dense.js'
import { loadAddon } from '../binding/load.js'
import { ARRAYS, type DType, isLeveled, rowElements } from '../formats/dtype.js'
import { type Check, type Checks, parseOptions, positiveInteger } from '../options/check.js'
import { vectorDefaultChecks } from '../options/dense.js'
import { isQuantizationRanges, type QuantizationRanges } from './ranges.js'
import type { QuantizedVectors, VectorRows } from './vectors.js'
import { float32Array, inBlocks, rowCount, vectorCount } from './vectors.js'

/** Options of {@link quantize}. */
export interface QuantizeOptions<D extends DType = DType> {
  /**
   * The format. `float16`: raw bits. `int8`, `uint8`: `round(x / scale)`, for uint8 plus 128, with one scale a vector,
   * `max(|x|) / 127`; or levels of `ranges`. `ubinary`: a bit a dimension, 1 where x > 0, the first dimension in the highest bit,
   * as `numpy.packbits`, FAISS and Qdrant have it; the last byte is filled up with zeros. `binary`: the same bytes less 128.
   */
  dtype: D
  /**
   * int8 and uint8 only: 256 levels between the least and greatest value of each dimension, the numbers of
   * sentence-transformers' `quantize_embeddings`; a value outside gets the level of the nearer end.
   */
  ranges?: QuantizationRanges | undefined
}

const rangesCheck: Check<QuantizationRanges> = (name, value) => {
  if (!isQuantizationRanges(value)) throw invalidOption(name, 'QuantizationRanges', value)
  return value
}

export const quantizeChecks: Checks<QuantizeOptions> = {
  dtype: vectorDefaultChecks.dtype,
  ranges: rangesCheck,
}

/** Refuses ranges for a format that has no levels for them. */
export function checkRangesFormat(dtype: DType | undefined, ranges: QuantizationRanges | undefined): void {
  if (ranges !== undefined && (dtype === undefined || !isLeveled(dtype))) {
    throw invalidOption('dtype', "'int8' or 'uint8' with ranges", dtype)
  }
}

/** The checked options. */
export function parseQuantizeOptions(where: string, options: unknown, dim: number) {
  const { dtype, ranges } = parseOptions<QuantizeOptions>(where, options, quantizeChecks)
  if (dtype === undefined) throw invalidOption('dtype', 'a format', dtype)
  checkRangesFormat(dtype, ranges)
  if (ranges !== undefined && ranges.dim !== dim) {
    throw invalidOption('ranges', `ranges of ${dim} dimensions`, ranges.dim)
  }
  return { dtype, ...(ranges !== undefined && { ranges }) }
}

/**
 * Vectors in another format: the numbers that `embed` with the same `dtype` would have given. `vectors` is `rows × dim`
 * values, row-major. Works off the event loop, a block at a time; do not change the array until it resolves.
 *
 * @example
 * const { data } = await model.embed(texts).toMatrix()
 * const bits = await quantize(data, 384, { dtype: 'ubinary' }) // bits.data: 48 bytes a vector
 *
 * @throws MillraceError INPUT_INVALID for values that do not make whole rows, or, with its row as `index`, a value that is not
 * finite or beyond float16; INVALID_OPTION for other arguments.
 */
export async function quantize<const D extends DType>(
  vectors: Float32Array,
  dim: number,
  options: QuantizeOptions<D>,
): Promise<QuantizedVectors<D>> {
  const length = vectorCount('vectors', vectors, dim)
  const { dtype, ranges } = parseQuantizeOptions('quantize', options, dim)
  const width = rowElements(dtype, dim)
  const data = new ARRAYS[dtype](length * width)
  const scaled = isLeveled(dtype) && ranges === undefined
  const scales = scaled ? new Float32Array(length) : undefined
  const { addon } = loadAddon()
  await inBlocks(
    length,
    dim * 4,
    (from, to) => addon.quantizeRows(vectors.subarray(from * dim, to * dim), dim, dtype, ranges),
    (block, from) => {
      data.set(block.data, from * width)
      if (block.scales !== undefined) scales?.set(block.scales, from)
    },
  )
  return {
    dtype: dtype as D,
    dim,
    length,
    data: data as VectorOf<D>,
    ...(scales !== undefined && { scales }),
    ...(ranges !== undefined && { ranges }),
  }
}

/**
 * The float32 vectors that rows stand for, `rows × dim` values: what {@link quantize} made, or a batch of `embed`.
 *
 * `float16` comes back exactly. `int8` and `uint8` with scales come within half a scale of the vectors they were made of; with
 * ranges as the middle of a level, within half a level (the level 0 of int8: one) unless the value was outside. `binary` and
 * `ubinary` give 1 for a set bit and -1 for another, so their vectors have the length `sqrt(dim)`.
 *
 * @throws MillraceError INPUT_INVALID for values that do not make whole rows of `dim` dimensions, for scales that are not one a
 * row, or, with its row as `index`, a value that is not finite; INVALID_OPTION for other arguments.
 */
export async function dequantize(rows: VectorRows, dim: number): Promise<Float32Array> {
  const length = checkRows('rows', rows, dim)
  const { dtype, data, scales, ranges } = rows
  const width = rowElements(dtype, dim)
  const vectors = new Float32Array(length * dim)
  const { addon } = loadAddon()
  await inBlocks(
    length,
    dim * 4,
    (from, to) =>
      addon.dequantizeRows(
        data.subarray(from * width, to * width),
        ranges === undefined ? scales?.subarray(from, to) : undefined,
        dim,
        dtype,
        ranges,
      ),
    (block, from) => vectors.set(block, from * dim),
  )
  return vectors
}

/** Checks rows in any format and returns how many there are. */
export function checkRows<D extends DType>(name: string, rows: VectorRows<D>, dim: number): number {
  positiveInteger('dim', dim)
  const { dtype, data, scales, ranges } = (isRecord(rows) ? rows : {}) as Partial<VectorRows<D>>
  if (dtype === undefined || !Object.hasOwn(ARRAYS, dtype)) {
    throw invalidOption(`${name}.dtype`, `one of ${Object.keys(ARRAYS).join(', ')}`, dtype)
  }
  const kind = ARRAYS[dtype].name as keyof TypedArrays
  if (!isArrayOf(kind, data)) throw invalidOption(`${name}.data`, kind, data)
  if (scales !== undefined) float32Array(`${name}.scales`, scales)
  if (ranges !== undefined && !isQuantizationRanges(ranges)) {
    throw invalidOption(`${name}.ranges`, 'QuantizationRanges', ranges)
  }
  const length = rowCount(`${name}.data`, data, rowElements(dtype, dim))
  if (isLeveled(dtype) && ranges === undefined && scales?.length !== length) {
    throw new MillraceError(
      'INPUT_INVALID',
      `Expected ${length} scales, one a row, or ranges for ${name} but received ${scales?.length ?? 0} scales`,
    )
  }
  return length
}
