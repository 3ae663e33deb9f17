/** Options of the Qdrant sink and of searching in what it made. */

import { invalidOption } from '../../../base/errors.js'
import { isRecord } from '../../../base/is.js'
import { withoutSecrets } from '../../../base/secrets.js'
import { type Check, nonEmptyString } from '../../../options/check.js'
import { requireOne } from '../shared/place.js'

/** A client of @qdrant/js-client-rest. */
export interface QdrantClient {
  collectionExists(name: string): Promise<{ exists: boolean }>
  createCollection(name: string, config: object): Promise<unknown>
  deleteCollection(name: string): Promise<unknown>
  createPayloadIndex(name: string, index: object): Promise<unknown>
  count(name: string, options?: object): Promise<{ count: number }>
  upsert(name: string, points: object): Promise<unknown>
  delete(name: string, filter: object): Promise<unknown>
  query(name: string, query: object): Promise<{ points: unknown[] }>
  /** What the collection is made for; without it, vectors of another size are noticed by the server only. */
  getCollection?(name: string): Promise<unknown>
  /** An alias names the store, so that a collection that was made anew is noticed; without these, only a wrong count is. */
  getCollectionAliases?(name: string): Promise<{ aliases: { alias_name: string }[] }>
  updateCollectionAliases?(changes: object): Promise<unknown>
}

/** Where the collection is, by exactly one of `url` and `client`. */
export interface QdrantOptions {
  /** As `http://localhost:6333`. */
  url?: string | undefined
  apiKey?: string | undefined
  client?: QdrantClient | undefined
  collection: string
  /** Name of the dense vectors. @default 'dense' */
  denseName?: string | undefined
}

/** Options of {@link qdrantSink}. */
export interface QdrantSinkOptions extends QdrantOptions {
  /** Name of the sparse vectors. @default 'sparse' */
  sparseName?: string | undefined
  /** How Qdrant keeps dense vectors for its search, beside the whole ones. @default none */
  quantization?: 'scalar' | 'binary' | undefined
  /** Whether whole vectors stay on the disk. @default false */
  onDisk?: boolean | undefined
  /** Largest request in bytes; a server takes 32 MiB unless told otherwise. @default 16 MiB */
  maxRequestBytes?: number | undefined
  /** Whether a collection that is there, and that no journal knows, is deleted; else it must be empty. @default false */
  overwrite?: boolean | undefined
}

const client: Check<QdrantClient> = (name, value) => {
  if (!isRecord(value) || typeof value['upsert'] !== 'function')
    throw invalidOption(name, 'client of Qdrant', value)
  return value as unknown as QdrantClient
}

/** Checks of {@link QdrantOptions}. */
export const qdrantPlaceChecks = {
  url: nonEmptyString,
  apiKey: nonEmptyString,
  client,
  collection: nonEmptyString,
  denseName: nonEmptyString,
} as const

/** Checks that a collection and its server are named. */
export function checkQdrantPlace<T extends Partial<QdrantOptions>>(
  options: T,
): asserts options is T & { collection: string } {
  nonEmptyString('collection', options.collection)
  requireOne(options, 'url', 'client')
}

/** The store's name for people. */
export function placeOf({ url, collection }: QdrantOptions): string {
  return `The collection ${collection}${url === undefined ? '' : ` at ${withoutSecrets(url)}`}`
}
