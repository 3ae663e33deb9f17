/** Records as Qdrant's points: their ids, their vectors as JSON, and requests of a bounded size. */

import { createHash } from 'node:crypto'
import { MillraceError } from '../../../base/errors.js'
import type { MultiVectorBatch } from '../../../batches/multi-vector.js'
import { dequantize } from '../../../quantize/quantize.js'
import { mapStrings, wellFormed } from '../../metadata.js'
import { type DenseColumn, type PipelineRecord, type RecordBatch, sparseRow } from '../../record.js'

/** A point as it is sent. */
export interface Point {
  id: string
  vector: Record<string, unknown>
  payload: object
}

/** Namespace of the points' ids: a random UUID, so that ids of other makers do not meet ours. */
const NAMESPACE = Buffer.from('0f8ee1d1b4f24b6c9f5a4d0c8a7e6b31', 'hex')

/** `{"points":[]}` and what a client may add. */
const ENVELOPE_BYTES = 256

/** The id that a record's point has: a UUID (version 5) of the record's id. */
export function qdrantPointId(id: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(id).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
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

/** Makes the point of each record of a batch. */
export async function pointsOf(
  { dense, sparse }: RecordBatch,
  names: { dense: string; sparse: string },
): Promise<(record: PipelineRecord, i: number) => Point> {
  const rowOf = dense === undefined ? undefined : await numbersOf(dense)
  return (record, i) => {
    const vector: Record<string, unknown> = {}
    if (rowOf !== undefined) vector[names.dense] = rowOf(i)
    if (sparse !== undefined) {
      const { indices, values } = sparseRow(sparse, i)
      vector[names.sparse] = { indices: [...indices], values: [...values] }
    }
    return { id: qdrantPointId(record.id), vector, payload: payloadOf(record) }
  }
}

/** The server's parser refuses a whole request for half a surrogate pair in one of its strings. */
function payloadOf({ documentId, headings, metadata, id, text, ...places }: PipelineRecord): object {
  return {
    id: wellFormed(id),
    document_id: wellFormed(documentId),
    text: wellFormed(text),
    ...places,
    headings: mapStrings(headings, wellFormed),
    metadata: mapStrings(metadata, wellFormed),
  }
}

/** Vectors as numbers of JSON, by row, each as short as float32 allows. */
async function numbersOf(dense: DenseColumn): Promise<(i: number) => number[]> {
  const { dtype, dim, data } = dense
  const values = dtype === 'float32' ? (data as Float32Array) : await dequantize(dense, dim)
  return (i) => Array.from(values.subarray(i * dim, (i + 1) * dim), (value) => Number(value.toPrecision(9)))
}

/** Gathers points into requests of a bounded size. */
export class Requests {
  readonly #most: number
  readonly #send: (points: Point[]) => Promise<void>
  #points: Point[] = []
  #bytes = 0

  constructor(most: number, send: (points: Point[]) => Promise<void>) {
    this.#most = most
    this.#send = send
  }

  /** Adds the point of the record `id`. Throws SINK_FAILED for one that no request can hold. */
  async add(point: Point, id: string): Promise<void> {
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
