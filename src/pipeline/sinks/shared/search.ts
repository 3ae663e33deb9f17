/**
 * What searching is in every store: which queries are taken, what a hit is made of, how a distance of bits becomes a similarity, and which errors
 * come out. How a store finds the nearest rows is its own matter.
 */

import { invalidOption, MillraceError } from '../../../base/errors.js'
import { reasonOf } from '../../../base/foreign.js'
import { describeValue } from '../../../base/is.js'
import { safeCause, withoutSecrets } from '../../../base/secrets.js'
import { signal as abortSignal } from '../../../options/call.js'
import { type Check, parseOptions, positiveInteger } from '../../../options/check.js'
import type { JsonValue } from '../../document.js'
import type { StoreHit, StoreSearchOptions } from '../../sink.js'

/** Hits of a search unless told otherwise. */
const DEFAULT_LIMIT = 10

/** A checked search. */
export interface SearchCall {
  query: Float32Array
  limit: number
  signal: AbortSignal | undefined
}

/**
 * Checks what a search was called with. `dim` is the number of dimensions of the store's vectors, where it is known.
 *
 * @throws MillraceError INVALID_OPTION for a limit that is no positive integer or a query that is no vector; INPUT_INVALID for a query of another
 * number of dimensions, with values that are not finite, or of zeros only, which are like nothing.
 */
export function parseSearch(
  place: string,
  dim: number | undefined,
  query: unknown,
  options: StoreSearchOptions | undefined,
): SearchCall {
  const checks = { limit: positiveInteger, signal: abortSignal as Check<AbortSignal> }
  const { limit = DEFAULT_LIMIT, signal } = parseOptions<StoreSearchOptions>('search', options, checks)
  const vector = vectorOf(query)
  if (dim !== undefined && vector.length !== dim) {
    throw new MillraceError(
      'INPUT_INVALID',
      `Expected a query of ${dim} dimensions for ${place} but received ${vector.length}: ` +
        'embed the query with the model and the dimensions that the store was made with',
    )
  }
  const odd = vector.findIndex((value) => !Number.isFinite(value))
  if (odd >= 0) {
    throw new MillraceError(
      'INPUT_INVALID',
      `Expected finite values in the query but received ${vector[odd]} at ${odd}`,
    )
  }
  if (vector.every((value) => value === 0)) {
    throw new MillraceError('INPUT_INVALID', 'Expected a query with a direction but received zeros only')
  }
  return { query: vector, limit, signal }
}

/** Numbers as a Float32Array. Arrays of other realms, of other precisions and plain ones are vectors too. */
function vectorOf(query: unknown): Float32Array {
  const tag = Object.prototype.toString.call(query)
  if (tag === '[object Float32Array]') return query as Float32Array
  const isNumbers =
    tag === '[object Float64Array]' || (Array.isArray(query) && query.every((x) => typeof x === 'number'))
  if (isNumbers) return Float32Array.from(query as number[])
  if (!Array.isArray(query)) throw invalidOption('query', 'Float32Array', query)
  const odd = query.find((x) => typeof x !== 'number')
  throw new MillraceError('INVALID_OPTION', `Expected numbers in query but received ${describeValue(odd)}`)
}

/**
 * Runs a search; what the store's driver throws is SINK_FAILED with the store's name. An abort rejects at once with `signal.reason`, also while the
 * driver waits for a server that does not answer.
 */
export async function searching<T>(
  place: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work(), aborted])
  } catch (cause) {
    if (signal?.aborted === true) throw signal.reason
    throw storeFailure(place, 'could not be searched', cause)
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

/** A driver's error as SINK_FAILED: "The table docs could not be searched: disk I/O error". Errors of ours stay as they are. */
export function storeFailure(place: string, what: string, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause
  return new MillraceError('SINK_FAILED', withoutSecrets(`${place} ${what}: ${reasonOf(cause)}`), {
    cause: safeCause(cause),
  })
}

/** A row of a store, its columns called as in SQL, as a hit. Headings and metadata may be JSON. */
export function hitOf(row: Readonly<Record<string, unknown>>, score: number): StoreHit {
  return {
    id: String(row['id']),
    documentId: String(row['document_id']),
    chunk: Number(row['chunk']),
    text: String(row['text']),
    start: Number(row['start']),
    end: Number(row['end']),
    headings: parsed<string[]>(row['headings']),
    metadata: parsed<Record<string, JsonValue>>(row['metadata']),
    score,
  }
}

function parsed<T>(value: unknown): T {
  return (typeof value === 'string' ? JSON.parse(value) : value) as T
}

/** The similarity of two vectors of which `differing` of `dim` sign bits differ: their share of a half turn is the angle between them. */
export function similarityOfBits(differing: number, dim: number): number {
  return Math.cos((Math.PI * differing) / dim)
}

/** The sign bits of a vector, eight a byte, the first in the highest place, as `ubinary` has them. */
export function signBits(vector: Float32Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(vector.length / 8))
  for (const [i, value] of vector.entries())
    if (value > 0) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (0x80 >> (i & 7))
  return bytes
}
