/** Qdrant over its REST interface: points with named vectors. Needs the package @qdrant/js-client-rest, or a client of it. Searching is in `search.ts`. */

import { MillraceError } from '../../../base/errors.js'
import { nextTurn } from '../../../base/turn.js'
import { boolean, integer, nonEmptyString, oneOf, parseOptions } from '../../../options/check.js'
import type { JsonValue } from '../../document.js'
import { wellFormed } from '../../metadata.js'
import type { RecordBatch } from '../../record.js'
import type { Sink, SinkContext, VectorSchema } from '../../sink.js'
import { checkpointOf, checkStore, NO_TOKEN, newState, type StoreState } from '../shared/identity.js'
import { storeFailure } from '../shared/search.js'
import { asked, connect, PATIENT, withReason } from './client.js'
import { configOf, countPoints, dimensionsOf, inspectCollection, writeToken } from './collection.js'
import {
  checkQdrantPlace,
  placeOf,
  type QdrantClient,
  type QdrantSinkOptions,
  qdrantPlaceChecks,
} from './options.js'
import { type Point, pointsOf, Requests } from './points.js'

const MAX_REQUEST_BYTES = 16 * 1024 * 1024

/** Points that are encoded in one turn of the event loop: some milliseconds. */
const POINTS_AT_ONCE = 32

/** Ids of one filter: the server compares each point's with all of them. */
const IDS_AT_ONCE = 500

/**
 * Writes records as points: named vectors `dense` (cosine; kept as float16 where that is the format; of int8, uint8 and bits the
 * float32 vectors that they stand for) and `sparse` (with Qdrant's modifier `idf` for BM25 and miniCOIL), and the payload `id`,
 * `document_id`, `chunk`, `text`, `start`, `end`, `tokens`, `headings`, `metadata`. A point's id is a UUID made of the record's. Requests
 * are split by their encoded size, and tried again where the server is busy or away. An alias `millrace-store-…` of the collection says which store
 * it is.
 *
 * @example
 * qdrantSink({ url: 'http://localhost:6333', collection: 'docs' })
 */
export function qdrantSink(options: QdrantSinkOptions): Sink {
  const checked = parseOptions<QdrantSinkOptions>('qdrantSink', options, {
    ...qdrantPlaceChecks,
    sparseName: nonEmptyString,
    quantization: oneOf('scalar', 'binary'),
    onDisk: boolean,
    maxRequestBytes: integer(1024, 2 ** 30, 'integer from 1024'),
    overwrite: boolean,
  })
  checkQdrantPlace(checked)
  return new QdrantSink(checked)
}

class QdrantSink implements Sink {
  readonly name = 'qdrant'
  readonly #options: QdrantSinkOptions
  #client: QdrantClient | undefined
  /** Ends the trying again. */
  #stopped: AbortSignal | undefined
  /** Ends the waiting for an answer, when the sink is closed beside a request. */
  #left = new AbortController()
  #state: StoreState = newState()
  /** Points were removed, and how many is not known: they are counted at the next commit. */
  #isCountOld = false

  constructor(options: QdrantSinkOptions) {
    this.#options = options
  }

  async open(context: SinkContext): Promise<void> {
    const { collection, overwrite = false } = this.#options
    const place = placeOf(this.#options)
    this.#client = await connect(this.#options, 'The sink qdrant')
    this.#stopped = context.signal
    this.#left = new AbortController()
    const found = await inspectCollection(this.#ask, collection, place)
    checkStore(found, context, overwrite)
    const anew = found.exists && context.checkpoint === undefined && overwrite
    if (found.exists && !anew) await this.#checkSize(context.schema, place)
    // From here on things change.
    if (anew) await this.#ask((client) => client.deleteCollection(collection))
    if (!found.exists || anew) await this.#make(context.schema)
    const isNew = context.checkpoint === undefined || found.state === undefined
    const token = isNew
      ? await this.#name(anew ? undefined : found.state?.token)
      : (found.state?.token ?? NO_TOKEN)
    this.#state = { token, records: anew ? 0 : found.records }
    this.#isCountOld = false
  }

  async remove(documentIds: readonly string[]): Promise<void> {
    const { collection } = this.#options
    this.#isCountOld = true
    for (let from = 0; from < documentIds.length; from += IDS_AT_ONCE) {
      const any = documentIds.slice(from, from + IDS_AT_ONCE).map(wellFormed)
      const filter = { must: [{ key: 'document_id', match: { any } }] }
      await this.#ask((client) => client.delete(collection, { wait: true, filter }))
    }
  }

  async write(batch: RecordBatch): Promise<void> {
    const { denseName = 'dense', sparseName = 'sparse', maxRequestBytes = MAX_REQUEST_BYTES } = this.#options
    const pointOf = await pointsOf(batch, { dense: denseName, sparse: sparseName })
    const requests = new Requests(maxRequestBytes, (points) => this.#upsert(points))
    for (const [i, record] of batch.records.entries()) {
      await requests.add(pointOf(record, i), record.id)
      if (i % POINTS_AT_ONCE === POINTS_AT_ONCE - 1) await nextTurn()
    }
    await requests.flush()
    this.#state.records += batch.records.length
  }

  async commit(): Promise<JsonValue> {
    // Every request waited until the server had it for good.
    if (this.#isCountOld) {
      this.#state.records = await countPoints(this.#ask, this.#options.collection)
      this.#isCountOld = false
    }
    return checkpointOf(this.#state)
  }

  async close(): Promise<void> {
    this.#left.abort(new MillraceError('CLOSED', 'The sink qdrant was closed'))
    this.#client = undefined
  }

  async #make(schema: VectorSchema): Promise<void> {
    const { collection } = this.#options
    await this.#ask((client) => client.createCollection(collection, configOf(schema, this.#options)))
    const index = { field_name: 'document_id', field_schema: 'keyword', wait: true }
    await this.#ask((client) => client.createPayloadIndex(collection, index))
  }

  /** Names the store, unless it has a name already; an empty collection of an earlier run keeps its own. */
  async #name(token: string | undefined): Promise<string> {
    if (token !== undefined) return token
    return writeToken(this.#ask, this.#options.collection, newState().token)
  }

  async #checkSize({ dense }: VectorSchema, place: string): Promise<void> {
    const { collection, denseName = 'dense' } = this.#options
    if (dense === undefined) return
    const size = await dimensionsOf(this.#ask, collection, denseName)
    if (size === undefined || size === dense.dim) return
    throw new MillraceError(
      'SINK_FAILED',
      `${place} is made for vectors of ${size} dimensions, and these have ${dense.dim}: choose another collection`,
    )
  }

  #upsert(points: Point[]): Promise<void> {
    const { collection } = this.#options
    return this.#ask((client) => client.upsert(collection, { wait: true, points })).then(() => {})
  }

  readonly #ask = async <T>(request: (client: QdrantClient) => Promise<T>): Promise<T> => {
    const client = this.#client
    if (client === undefined) throw new MillraceError('CLOSED', 'The sink qdrant is not open')
    try {
      return await asked(() => request(client), PATIENT, {
        stopped: this.#stopped,
        left: this.#left.signal,
      })
    } catch (cause) {
      if (this.#stopped?.aborted === true) throw this.#stopped.reason
      throw storeFailure(placeOf(this.#options), 'failed', withReason(cause))
    }
  }
}
