/** Exact search of a `VectorIndex`: every vector is compared, on all cores allowed. Nothing approximate is built. */

import { invalidOption, MillraceError, unwrap } from '../base/errors.js'
import { isArrayOf } from '../base/foreign.js'
import type { NativeHits } from '../binding/types.js'
import { type DType, isBits } from '../formats/dtype.js'
import type { Check, Checked, Checks } from '../options/check.js'
import { MAX_COUNT, parseOptions, positiveInteger } from '../options/check.js'
import { dotMany } from './arithmetic.js'
import { isVectorIndex, type VectorIndex } from './vector-index.js'
import { float32Array } from './vectors.js'

/** A vector that was found. */
export interface SearchHit {
  /** Its number in the index. */
  index: number
  /** Higher is nearer. */
  score: number
}

/** Options of {@link searchFloat}. */
export interface SearchOptions {
  /** How many are wanted. @default 10 */
  limit?: number | undefined
}

/** Options of {@link searchBinary}. */
export interface BinarySearchOptions extends SearchOptions {
  /** The same vectors in more detail, by which the candidates are scored again: another index, or float32, `rows × dim` values. */
  rescore?: VectorIndex<FloatFormat> | Float32Array | undefined
  /** With `rescore`: candidates for each vector wanted. @default 4, as sentence-transformers */
  oversample?: number | undefined
}

/** Formats whose scores are dot products. */
type FloatFormat = Exclude<DType, 'binary' | 'ubinary'>

const DEFAULT_LIMIT = 10
const DEFAULT_OVERSAMPLE = 4

const searchChecks: Checks<SearchOptions> = { limit: positiveInteger }

const rescoreCheck: Check<VectorIndex<FloatFormat> | Float32Array> = (name, value) => {
  if (isArrayOf('Float32Array', value)) return value
  if (isVectorIndex(value) && !isBinary(value)) return value as VectorIndex<FloatFormat>
  throw invalidOption(name, 'Float32Array or VectorIndex of float32, float16, int8 or uint8', value)
}

const binarySearchChecks: Checks<BinarySearchOptions> = {
  ...searchChecks,
  rescore: rescoreCheck,
  oversample: positiveInteger,
}

/**
 * The `limit` vectors of the highest dot product with the query (the cosine, for vectors of length 1), best first, of equal
 * ones the earlier; fewer if the index has fewer. In int8 and uint8 a vector is what its levels stand for; the query is not quantised.
 * The vectors are those that were there at the call.
 *
 * @throws MillraceError INPUT_INVALID for a query of other dimensions or that is not finite, or, with its row as `index`, a
 * score that is not finite; INVALID_OPTION for an index of another format and other arguments.
 */
export async function searchFloat(
  query: Float32Array,
  index: VectorIndex<FloatFormat>,
  options?: SearchOptions,
): Promise<SearchHit[]> {
  const { limit = DEFAULT_LIMIT } = parseOptions<SearchOptions>('searchFloat', options, searchChecks)
  if (!isVectorIndex(index) || isBinary(index)) {
    throw invalidOption('index', 'VectorIndex of float32, float16, int8 or uint8', index)
  }
  return hits(unwrap(await index.native.search(checkQuery(query, index), limit)))
}

/**
 * The `limit` vectors nearest to the query by the Hamming distance of their signs, best first, of equal ones the earlier; the
 * score is `1 - 2 × distance / dim`, the cosine of the signs. With `rescore`, the `limit × oversample` nearest are scored by the dot
 * product with the query in that other form, which gives back most of what the signs lost. The query is float32.
 *
 * @throws MillraceError as {@link searchFloat}; INPUT_INVALID also when `rescore` does not have as many vectors.
 */
export async function searchBinary(
  query: Float32Array,
  index: VectorIndex<'binary' | 'ubinary'>,
  options?: BinarySearchOptions,
): Promise<SearchHit[]> {
  const { limit = DEFAULT_LIMIT, ...given }: Checked<BinarySearchOptions> = parseOptions<BinarySearchOptions>(
    'searchBinary',
    options,
    binarySearchChecks,
  )
  if (!isVectorIndex(index) || !isBinary(index)) {
    throw invalidOption('index', 'VectorIndex of binary or ubinary', index)
  }
  const { rescore, oversample = DEFAULT_OVERSAMPLE } = given
  checkQuery(query, index)
  if (rescore === undefined) return hits(unwrap(await index.native.search(query, limit)))
  checkTwin(index, rescore)
  const candidates = Math.min(limit * oversample, MAX_COUNT)
  if (isVectorIndex(rescore)) {
    return hits(unwrap(await index.native.searchRescored(query, candidates, limit, rescore.native)))
  }
  // The caller may reuse its array while the candidates are looked for.
  const copy = query.slice()
  const { rows } = unwrap(await index.native.search(copy, candidates))
  return rescored(copy, rows, rescore).slice(0, limit)
}

function isBinary(index: VectorIndex): boolean {
  return isBits(index.dtype)
}

function checkQuery(query: unknown, { dim }: VectorIndex): Float32Array {
  const vector = float32Array('query', query)
  if (vector.length === dim) return vector
  throw new MillraceError(
    'INPUT_INVALID',
    `Expected ${dim} dimensions for query but received ${vector.length}`,
  )
}

function checkTwin(index: VectorIndex, rescore: VectorIndex<FloatFormat> | Float32Array): void {
  const [rows, dim] = isVectorIndex(rescore)
    ? [rescore.length, rescore.dim]
    : [rescore.length / index.dim, index.dim]
  if (rows === index.length && dim === index.dim) return
  throw new MillraceError(
    'INPUT_INVALID',
    `Expected ${index.length} vectors of ${index.dim} dimensions for rescore but received ${rows} of ${dim}`,
  )
}

/** The rows by their dot product in `vectors`, best first. Only these rows are touched. */
function rescored(query: Float32Array, rows: Uint32Array, vectors: Float32Array): SearchHit[] {
  const dim = query.length
  const gathered = new Float32Array(rows.length * dim)
  for (const [i, row] of rows.entries()) {
    gathered.set(vectors.subarray(row * dim, (row + 1) * dim), i * dim)
  }
  const scores = dotMany(query, gathered)
  return hits({ rows, scores }).sort((a, b) => b.score - a.score || a.index - b.index)
}

function hits({ rows, scores }: NativeHits): SearchHit[] {
  return Array.from(rows, (index, i) => ({ index, score: scores[i] as number }))
}
