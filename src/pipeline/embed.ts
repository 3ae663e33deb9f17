/**
 * Chunks into vectors: one stream a model over all chunks of a run, so that runs of the models are as full as in a bulk call. Rows
 * go back to the documents they belong to; a document whose last row has come is handed on.
 */

import { breathe } from '../base/turn.js'
import type { EmbeddingBatch } from '../batches/batch.js'
import type { DenseBatch } from '../batches/dense.js'
import type { SparseBatch } from '../batches/sparse.js'
import type { DType } from '../formats/dtype.js'
import type { TextSource } from '../stream/source.js'
import type { Gate } from './gate.js'
import type { DocumentJob } from './job.js'
import type { Tally } from './tally.js'
import { tee } from './tee.js'

/** A chunk on its way: the row that comes for it belongs to this place. */
interface Place {
  job: DocumentJob
  chunk: number
}

/** A batch of whichever model. */
type Rows = EmbeddingBatch<unknown> & { readonly tokens: Uint32Array; readonly truncated: Uint8Array }

/** A model as this stage sees it. */
export interface Lane<B extends Rows> {
  /** Opens the stream of all texts; failed ones are in `errors`. */
  open(texts: TextSource): AsyncIterable<B>
  /** Puts row `i` where it belongs. */
  store(batch: B, i: number, place: Place): void
  /** It counts tokens and what was cut off; the other models do not. */
  leads: boolean
}

export const storeDense = (batch: DenseBatch<DType>, i: number, { job, chunk }: Place): void => {
  job.dense?.set(batch.row(i), chunk * batch.dim)
  const scale = batch.scales?.[i]
  if (scale !== undefined && job.scales !== undefined) job.scales[chunk] = scale
}

export const storeSparse = (batch: SparseBatch, i: number, { job, chunk }: Place): void => {
  const { indices, values } = batch.row(i)
  // Copies: views would keep whole batches.
  if (job.sparse !== undefined) job.sparse[chunk] = { indices: indices.slice(), values: values.slice() }
}

/** What the stage needs. */
export interface EmbedContext {
  // biome-ignore lint/suspicious/noExplicitAny: lanes of models with different batches side by side
  lanes: readonly Lane<any>[]
  gate: Gate
  tally: Tally
  /** Takes each job in the order of the source, before its rows come. */
  announce(job: DocumentJob): void
  /** Takes a job whose last row has come. */
  complete(job: DocumentJob): void
}

/** Embeds all chunks of `slices`; resolves when every row has come. */
export async function embedAll(
  slices: AsyncGenerator<DocumentJob[], void, undefined>,
  { lanes, gate, tally, announce, complete }: EmbedContext,
): Promise<void> {
  const places = lanes.map(() => new Map<number, Place>())
  let position = 0

  async function* flow(): AsyncGenerator<string[], void, undefined> {
    for (;;) {
      await gate.room()
      const { done, value: jobs } = await slices.next()
      if (done === true) return
      const texts: string[] = []
      for (const job of jobs) {
        gate.enter(job)
        announce(job)
        if (job.complete) {
          complete(job)
          continue
        }
        for (const [chunk, { text }] of job.records.entries()) {
          for (const waiting of places) waiting.set(position, { job, chunk })
          position++
          texts.push(text)
        }
      }
      if (texts.length > 0) yield texts
    }
  }

  const sources = tee(flow(), lanes.length, () => {})
  const readAll = async (lane: Lane<Rows>, at: number): Promise<void> => {
    const waiting = places[at] as Map<number, Place>
    let since = performance.now()
    for await (const batch of lane.open(sources[at] as unknown as TextSource)) {
      tally.times.embedMs += lane.leads ? performance.now() - since : 0
      for (let i = 0; i < batch.length; i++) {
        const index = batch.indexOf(i)
        const place = waiting.get(index) as Place
        waiting.delete(index)
        const { job, chunk } = place
        const error = batch.errors.get(index)
        if (error === undefined) lane.store(batch, i, place)
        if (lane.leads) {
          tally.chunks++
          tally.tokens += batch.tokens[i] ?? 0
          tally.truncated += batch.truncated[i] ?? 0
          const record = job.records[chunk]
          if (record !== undefined) record.tokens = batch.tokens[i] ?? 0
        }
        if (job.arrived(error)) complete(job)
      }
      await breathe()
      since = performance.now()
    }
  }
  await Promise.all(lanes.map(readAll))
}
