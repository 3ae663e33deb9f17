/** A collection of Qdrant as a store: what is found there, what names it, and what it is made for. */

import { isRecord } from '../../../base/is.js'
import type { VectorSchema } from '../../sink.js'
import { type FoundStore, NO_TOKEN } from '../shared/identity.js'
import { ifAllowed } from './client.js'
import type { QdrantClient, QdrantSinkOptions } from './options.js'

/**
 * A collection has no place for facts of its own, but it can have aliases, which go away with it. Ours is this and the store's token. Aliases are
 * names like those of collections, so it must not meet one.
 */
const ALIAS = 'millrace-store-'

/** Runs a request, trying again. */
export type Ask = <T>(request: (client: QdrantClient) => Promise<T>) => Promise<T>

/** Looks at what is there, without changing it. */
export async function inspectCollection(ask: Ask, collection: string, place: string): Promise<FoundStore> {
  const { exists } = await ask((client) => client.collectionExists(collection))
  if (!exists) return { place, exists, records: 0, state: undefined }
  const records = await countPoints(ask, collection)
  const token = await readToken(ask, collection)
  return { place, exists, records, state: token === undefined ? undefined : { token, records } }
}

/** All points, counted one by one: the server's estimate is none to compare with. */
export async function countPoints(ask: Ask, collection: string): Promise<number> {
  const { count } = await ask((client) => client.count(collection, { exact: true }))
  return count
}

/** The store's token; nothing where the collection has none. */
async function readToken(ask: Ask, collection: string): Promise<string | undefined> {
  const answer = await ifAllowed(ask(async (client) => client.getCollectionAliases?.(collection)))
  if (answer === undefined) return NO_TOKEN
  const name = answer.aliases.map((alias) => alias.alias_name).find((alias) => alias.startsWith(ALIAS))
  return name?.slice(ALIAS.length)
}

/** Names the store; answers the token that it has then. */
export async function writeToken(ask: Ask, collection: string, token: string): Promise<string> {
  const create_alias = { collection_name: collection, alias_name: `${ALIAS}${token}` }
  const done = ask(async (client) => client.updateCollectionAliases?.({ actions: [{ create_alias }] }))
  if ((await ifAllowed(done)) === undefined) return NO_TOKEN
  return (await readToken(ask, collection)) ?? NO_TOKEN
}

/** How a collection is made. */
export function configOf({ dense, sparse }: VectorSchema, options: QdrantSinkOptions): object {
  const { denseName = 'dense', sparseName = 'sparse', quantization, onDisk = false } = options
  const datatype = dense?.dtype === 'float16' ? 'float16' : 'float32'
  const kept = {
    scalar: { scalar: { type: 'int8', always_ram: true } },
    binary: { binary: { always_ram: true } },
  }
  return {
    ...(dense !== undefined && {
      vectors: { [denseName]: { size: dense.dim, distance: 'Cosine', datatype, on_disk: onDisk } },
      ...(quantization !== undefined && { quantization_config: kept[quantization] }),
    }),
    ...(sparse !== undefined && {
      sparse_vectors: { [sparseName]: sparse.idf ? { modifier: 'idf' } : {} },
    }),
  }
}

/** Dimensions of the collection's vectors of the name; nothing where there are none, or where the client cannot say. */
export async function dimensionsOf(
  ask: Ask,
  collection: string,
  denseName: string,
): Promise<number | undefined> {
  const found = await ifAllowed(ask(async (client) => client.getCollection?.(collection)))
  const vectors = inside(found, 'config', 'params', 'vectors', denseName)
  return isRecord(vectors) && typeof vectors['size'] === 'number' ? vectors['size'] : undefined
}

function inside(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((at, name) => (isRecord(at) ? at[name] : undefined), value)
}
