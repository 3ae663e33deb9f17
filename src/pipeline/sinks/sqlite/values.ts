/** Vectors as sqlite-vec takes them: float32 values, signed levels, bits. */

import { bytesOf } from '../../../base/bytes.js'
import { isBits, isLeveled } from '../../../formats/dtype.js'
import { type DenseColumn, denseRow } from '../../record.js'
import { signBits } from '../shared/search.js'

/** How a vector of the format is given in SQL; formats are those of the facts. */
export function vectorParameter(format: string): string {
  return { int8: 'vec_int8(?)', ubinary: 'vec_bit(?)' }[format] ?? '?'
}

/** As {@link vectorParameter}, by the format of a batch. */
export function columnParameter({ dtype }: DenseColumn): string {
  if (isLeveled(dtype)) return vectorParameter('int8')
  return vectorParameter(isBits(dtype) ? 'ubinary' : 'float32')
}

/** Row `i` of a batch. */
export function vectorBytes(dense: DenseColumn, i: number): Uint8Array {
  const row = denseRow(dense, i)
  // uint8 levels are int8's plus 128, and signed bits the unsigned ones less 128.
  if (dense.dtype === 'uint8' || dense.dtype === 'binary') return bytesOf(row).map((byte) => byte ^ 0x80)
  return bytesOf(row)
}

/** A query in the format of the vectors. Bits are compared byte by byte, so their order inside does not matter. */
export function queryBytes(query: Float32Array, format: string): Uint8Array {
  if (format === 'ubinary') return signBits(query)
  if (format !== 'int8') return bytesOf(query)
  const largest = query.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
  return bytesOf(Int8Array.from(query, (value) => Math.round((value * 127) / largest)))
}
