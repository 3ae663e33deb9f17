/**
 * The formats of dense vectors: their names, the array that holds one, and how wide a row is. This is the only place that
 * knows them; how values are computed is the core's affair, and what a store calls them is the store's.
 */

import type { NativeDType } from '../binding/types.js'

/**
 * Format of dense vectors. `float16` comes as its bits; `int8` and `uint8` have a scale a row, by which values are multiplied to
 * get the vector back; `binary` and `ubinary` hold one bit per dimension, eight to a byte.
 */
export type DType = NativeDType

/** Every format, in the order in which documentation lists them. A cached row holds the position, so the order is fixed. */
export const DTYPES = [
  'float32',
  'float16',
  'int8',
  'uint8',
  'binary',
  'ubinary',
] as const satisfies readonly DType[]

/** The typed array of each format. */
export const ARRAYS = {
  float32: Float32Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  binary: Int8Array,
  ubinary: Uint8Array,
} as const satisfies Record<DType, unknown>

/** Bytes of one element of a format's array. */
export function elementBytes(dtype: DType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT
}

/** Whether a format holds one bit per dimension. */
export function isBits(dtype: DType): dtype is 'binary' | 'ubinary' {
  return dtype === 'binary' || dtype === 'ubinary'
}

/** Whether a format holds integer levels, which need a scale a row or ranges of the dimensions to mean anything. */
export function isLeveled(dtype: DType): dtype is 'int8' | 'uint8' {
  return dtype === 'int8' || dtype === 'uint8'
}

/** Bytes that hold so many bits. */
function bytesOfBits(bits: number): number {
  return Math.ceil(bits / 8)
}

/** Elements of a row of `dim` dimensions: one a dimension, or one for eight of them. */
export function rowElements(dtype: DType, dim: number): number {
  return isBits(dtype) ? bytesOfBits(dim) : dim
}
