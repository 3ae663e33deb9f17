/**
 * Comparing vectors: two, or one with many. They answer at once, on the event loop, about a millisecond for a thousand rows
 * of a thousand dimensions at the most; many more rows belong into a `VectorIndex`.
 */

import { invalidOption, MillraceError, unwrap } from '../base/errors.js'
import { isArrayOf, isBytes } from '../base/foreign.js'
import { loadAddon } from '../binding/load.js'
import { own } from '../binding/views.js'
import { float32Array, rowCount } from './vectors.js'

/** Packed bits: what `quantize` makes with `ubinary` or `binary`. */
type Bits = Uint8Array | Int8Array

/**
 * The dot product of two vectors of as many values, summed in float32.
 *
 * @throws MillraceError INPUT_INVALID for lengths that differ or a product that is not finite; INVALID_OPTION for other
 * arguments.
 */
export function dot(a: Float32Array, b: Float32Array): number {
  return only(dotMany(a, same(a, b)))
}

/** The dot product of `query` with each row of `rows`, row-major rows of as many values. Throws as {@link dot}. */
export function dotMany(query: Float32Array, rows: Float32Array): Float32Array {
  checkFloats(query, rows)
  return own(unwrap(loadAddon().addon.dots(query, rows)))
}

/** The cosine of two vectors, -1 to 1; 0 where one has no length in float32. Throws as {@link dot}. */
export function cosine(a: Float32Array, b: Float32Array): number {
  return only(cosineMany(a, same(a, b)))
}

/** The cosine of `query` and each row of `rows`. Throws as {@link dot}. */
export function cosineMany(query: Float32Array, rows: Float32Array): Float32Array {
  checkFloats(query, rows)
  return own(unwrap(loadAddon().addon.cosines(query, rows)))
}

/**
 * How many bits differ between two vectors of packed bits, both `ubinary` or both `binary`.
 *
 * @throws MillraceError INPUT_INVALID for lengths that differ; INVALID_OPTION for other arguments.
 */
export function hamming(a: Bits, b: Bits): number {
  return only(hammingMany(a, same(a, b)))
}

/** How many bits differ between `query` and each row of `rows`, row-major rows of as many bytes. Throws as {@link hamming}. */
export function hammingMany(query: Bits, rows: Bits): Uint32Array {
  const signed = isArrayOf('Int8Array', query)
  if (!signed && !isBytes(query)) throw invalidOption('query', 'Uint8Array or Int8Array', query)
  const kind = signed ? 'Int8Array' : 'Uint8Array'
  if (!isArrayOf(kind, rows)) throw invalidOption('rows', kind, rows)
  rowCount('rows', rows, query.length)
  return own(unwrap(loadAddon().addon.hammings(unsigned(query), unsigned(rows))))
}

/** The same bytes. That `binary` is 128 less changes no difference. */
function unsigned(bits: Bits): Uint8Array {
  return new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength)
}

function checkFloats(query: Float32Array, rows: Float32Array): void {
  rowCount('rows', float32Array('rows', rows), float32Array('query', query).length)
}

function same<T extends ArrayLike<number>>(a: T, b: T): T {
  if (a?.length === b?.length) return b
  throw new MillraceError(
    'INPUT_INVALID',
    `Expected vectors of one length but received ${a?.length} and ${b?.length} values`,
  )
}

function only(scores: ArrayLike<number>): number {
  return scores[0] as number
}
