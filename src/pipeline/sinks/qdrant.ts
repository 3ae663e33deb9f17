/** Qdrant over its REST interface: points with named vectors, dense, sparse or both. Needs the package @qdrant/js-client-rest, or a client of it. */

import { createHash } from 'node:crypto'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { invalidOption, MillraceError } from '../../base/errors.js'
import { isError } from '../../base/foreign.js'
import { isRecord } from '../../base/is.js'
import type { MultiVectorBatch } from '../../batches/multi-vector.js'
import { boolean, type Check, integer, nonEmptyString, oneOf, parseOptions } from '../../options/check.js'
import { importPeer } from '../../peers/peer.js'
import { dequantize } from '../../quantize/quantize.js'
import type { JsonValue } from '../document.js'
import { type DenseColumn, type RecordBatch, sparseRow } from '../record.js'
import type { SearchableStore, Sink, SinkContext, StoreHit, VectorSchema } from '../sink.js'

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
}

/** Where the collection is: an address or a client. */
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

const MAX_REQUEST_BYTES = 16 * 1024 * 1024

/** Points that are encoded in one turn of the event loop: some milliseconds. */
const POINTS_AT_ONCE = 32

/** Ids of one filter. */
const IDS_AT_ONCE = 500

/** How often a request is tried, and the first pause, which doubles: half a minute in all. */
const TRIES = 6
const PAUSE_MS = 500

/** Namespace of the points' ids: a random UUID, so that ids of other makers do not meet ours. */
const NAMESPACE = Buffer.from('0f8ee1d1b4f24b6c9f5a4d0c8a7e6b31', 'hex')

const client: Check<QdrantClient> = (name, value) => {
  if (!isRecord(value) || typeof value['upsert'] !== 'function')
    throw invalidOption(name, 'client of Qdrant', value)
  return value as unknown as QdrantClient
}

const placeChecks = {
  url: nonEmptyString,
  apiKey: nonEmptyString,
  client,
  collection: nonEmptyString,
  denseName: nonEmptyString,
} as const

/**
 * Writes records as points: named vectors `dense` (cosine; kept as float16 where that is the format; of int8, uint8 and bits the
 * float32 vectors that they stand for) and `sparse` (with Qdrant's modifier `idf` for BM25 and miniCOIL), and the payload `id`,
 * `document_id`, `chunk`, `text`, `start`, `end`, `tokens`, `headings`, `metadata`. A point's id is a UUID made of the record's. Requests
 * are split by their encoded size, and tried again where the server is busy or away.
 *
 * @example
 * qdrantSink({ url: 'http://localhost:6333', collection: 'docs' })
 */
export function qdrantSink(options: QdrantSinkOptions): Sink {
  const checked = parseOptions<QdrantSinkOptions>('qdrantSink', options, {
    ...placeChecks,
    sparseName: nonEmptyString,
    quantization: oneOf('scalar', 'binary'),
    onDisk: boolean,
    maxRequestBytes: integer(1024, 2 ** 30, 'integer from 1024'),
    overwrite: boolean,
  })
  checkPlace(checked)
  return new QdrantSink(checked as QdrantSinkOptions)
}

class QdrantSink implements Sink {
  readonly name = 'qdrant'
  readonly #options: QdrantSinkOptions
  #client: QdrantClient | undefined
  #signal: AbortSignal | undefined

  constructor(options: QdrantSinkOptions) {
    this.#options = options
  }

  async open({ schema, checkpoint, signal }: SinkContext): Promise<void> {
    const { collection, overwrite = false } = this.#options
    const config = this.#config(schema)
    const client = await connect(this.#options, 'The sink qdrant')
    this.#client = client
    this.#signal = signal
    const { exists } = await this.#try(() => client.collectionExists(collection))
    const anew = exists && checkpoint === undefined && overwrite
    if (anew) await this.#try(() => client.deleteCollection(collection))
    if (!exists || anew) {
      if (checkpoint !== undefined) {
        throw new MillraceError(
          'SINK_FAILED',
          `The collection ${collection} is gone, but its journal is there`,
        )
      }
      await this.#try(() => client.createCollection(collection, config))
      const index = { field_name: 'document_id', field_schema: 'keyword', wait: true }
      await this.#try(() => client.createPayloadIndex(collection, index))
      return
    }
    if (checkpoint !== undefined) return
    const { count } = await this.#try(() => client.count(collection, { exact: true }))
    if (count === 0) return
    throw new MillraceError(
      'SINK_FAILED',
      `The collection ${collection} has points, and no journal says which: choose another, or overwrite: true`,
    )
  }

  async remove(documentIds: readonly string[]): Promise<void> {
    const { collection } = this.#options
    for (let from = 0; from < documentIds.length; from += IDS_AT_ONCE) {
      const any = documentIds.slice(from, from + IDS_AT_ONCE)
      const filter = { must: [{ key: 'document_id', match: { any } }] }
      await this.#try((client) => client.delete(collection, { wait: true, filter }))
    }
  }

  async write({ records, dense, sparse }: RecordBatch): Promise<void> {
    const { denseName = 'dense', sparseName = 'sparse' } = this.#options
    const rowOf = dense === undefined ? undefined : await numbersOf(dense)
    const requests = new Requests(this.#options.maxRequestBytes ?? MAX_REQUEST_BYTES, (points) =>
      this.#upsert(points),
    )
    for (const [i, { documentId, headings, ...record }] of records.entries()) {
      const vector: Record<string, unknown> = {}
      if (rowOf !== undefined) vector[denseName] = rowOf(i)
      if (sparse !== undefined) {
        const { indices, values } = sparseRow(sparse, i)
        vector[sparseName] = { indices: [...indices], values: [...values] }
      }
      const payload = { ...record, document_id: documentId, headings }
      await requests.add({ id: qdrantPointId(record.id), vector, payload }, record.id)
      if (i % POINTS_AT_ONCE === POINTS_AT_ONCE - 1) await nextTurn()
    }
    await requests.flush()
  }

  async commit(): Promise<JsonValue> {
    // Every request waited until the server had it for good.
    return null
  }

  async close(): Promise<void> {
    this.#client = undefined
  }

  #config({ dense, sparse }: VectorSchema): object {
    const { denseName = 'dense', sparseName = 'sparse', quantization, onDisk = false } = this.#options
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

  #upsert(points: object[]): Promise<void> {
    const { collection } = this.#options
    return this.#try((client) => client.upsert(collection, { wait: true, points })).then(() => {})
  }

  #try<T>(request: (client: QdrantClient) => Promise<T>): Promise<T> {
    const client = this.#client
    if (client === undefined) throw new MillraceError('CLOSED', 'The sink qdrant is not open')
    return retried(() => request(client), this.#signal)
  }
}

/**
 * Opens a collection that {@link qdrantSink} made, for search.
 *
 * @throws MillraceError PACKAGE_NOT_FOUND; SINK_FAILED comes with searching.
 */
export async function openQdrant(options: QdrantOptions): Promise<SearchableStore> {
  const checked = parseOptions<QdrantOptions>('openQdrant', options, placeChecks)
  checkPlace(checked)
  const { collection = '', denseName = 'dense' } = checked
  const opened = await connect(checked as QdrantOptions, 'openQdrant')
  return {
    // A collection has no place for facts of its own.
    model: async () => undefined,
    async search(query, { limit = 10 } = {}) {
      const request = { query: Array.from(query), using: denseName, limit, with_payload: true }
      const { points } = await retried(() => opened.query(collection, request), undefined)
      return points.map((point): StoreHit => {
        const { score, payload } = point as { score: number; payload: Record<string, unknown> }
        return {
          id: String(payload['id']),
          documentId: String(payload['document_id']),
          text: String(payload['text']),
          headings: payload['headings'] as string[],
          metadata: payload['metadata'] as Record<string, JsonValue>,
          score,
        }
      })
    },
    async close() {},
  }
}

/**
 * Multi-vectors (late interaction) as points for a collection with a vector of `multivector_config`: `{ id, vector: { [name]: rows },
 * payload }`. `ids` are any texts, one a row; failed rows are left out.
 *
 * @example
 * for await (const batch of colbert.embed(texts)) await client.upsert('docs', { points: qdrantMultiVectors(batch, ids, 'colbert') })
 */
export function qdrantMultiVectors(
  batch: MultiVectorBatch,
  ids: readonly string[],
  name: string,
): { id: string; vector: Record<string, number[][]>; payload: { id: string } }[] {
  const points: ReturnType<typeof qdrantMultiVectors> = []
  for (let i = 0; i < batch.length; i++) {
    const id = ids[batch.indexOf(i)]
    if (id === undefined || batch.errors.has(batch.indexOf(i))) continue
    const rows = batch.row(i).map((row) => Array.from(row))
    points.push({ id: qdrantPointId(id), vector: { [name]: rows }, payload: { id } })
  }
  return points
}

/** The id that a record's point has: a UUID (version 5) of the record's id. */
export function qdrantPointId(id: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(id).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Gathers points into requests of a bounded size. */
class Requests {
  readonly #most: number
  readonly #send: (points: object[]) => Promise<void>
  #points: object[] = []
  #bytes = 0

  constructor(most: number, send: (points: object[]) => Promise<void>) {
    this.#most = most
    this.#send = send
  }

  async add(point: object, id: string): Promise<void> {
    // As the client encodes it; what is around the points is small.
    const bytes = Buffer.byteLength(JSON.stringify(point)) + 1
    if (bytes + ENVELOPE_BYTES > this.#most) {
      throw new MillraceError(
        'SINK_FAILED',
        `The record '${id}' takes ${bytes} bytes, more than a request of ${this.#most}`,
      )
    }
    if (this.#bytes + bytes + ENVELOPE_BYTES > this.#most) await this.flush()
    this.#points.push(point)
    this.#bytes += bytes
  }

  async flush(): Promise<void> {
    if (this.#points.length === 0) return
    const points = this.#points
    this.#points = []
    this.#bytes = 0
    await this.#send(points)
  }
}

/** `{"points":[]}` and what a client may add. */
const ENVELOPE_BYTES = 256

/** Tries again what the server could not do now. Requests are such that doing them twice is doing them once. */
async function retried<T>(request: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let tries = 1; ; tries++) {
    signal?.throwIfAborted()
    try {
      return await request()
    } catch (error) {
      const pause = pauseAfter(error, tries)
      if (pause === undefined) throw error
      await sleep(pause, undefined, { signal }).catch(() => {})
    }
  }
}

/** How long to wait, where trying again may help. */
function pauseAfter(error: unknown, tries: number): number | undefined {
  if (tries >= TRIES) return undefined
  const { status, retry_after: after } = (isRecord(error) ? error : {}) as {
    status?: number
    retry_after?: number
  }
  const busy = status === 429 || (status !== undefined && status >= 500)
  const away = status === undefined && isError(error) && (error.name === 'TypeError' || 'cause' in error)
  const limited = typeof after === 'number'
  if (!busy && !away && !limited) return undefined
  return limited ? Math.min(after * 1000, 60_000) : PAUSE_MS * 2 ** (tries - 1)
}

/** Vectors as numbers of JSON, by row, each as short as float32 allows. */
async function numbersOf(dense: DenseColumn): Promise<(i: number) => number[]> {
  const { dtype, dim, data } = dense
  const values = dtype === 'float32' ? (data as Float32Array) : await dequantize(dense, dim)
  return (i) => Array.from(values.subarray(i * dim, (i + 1) * dim), (value) => Number(value.toPrecision(9)))
}

async function connect({ client: given, url, apiKey }: QdrantOptions, user: string): Promise<QdrantClient> {
  if (given !== undefined) return given
  type Client = new (options: object) => QdrantClient
  const module = await importPeer<{ QdrantClient: Client }>('@qdrant/js-client-rest', '~1.15.1', user)
  return new module.QdrantClient({ url, checkCompatibility: false, ...(apiKey !== undefined && { apiKey }) })
}

function checkPlace({ url, client, collection }: Partial<QdrantOptions>): void {
  nonEmptyString('collection', collection)
  if ((url === undefined) === (client === undefined)) throw invalidOption('url', 'either url or client', url)
}
