/** From a checked call to its stream: what is the same for every family. */

import { type MillraceError, unwrap } from '../base/errors.js'
import type { Collector, EmbeddingBatch } from '../batches/batch.js'
import { loadAddon } from '../binding/load.js'
import type { NativeBatch, NativeJob, NativeJobOptions, NativeModel } from '../binding/types.js'
import type { LoadedModel } from '../loading/loaded-model.js'
import type { Call } from '../options/call.js'
import { EmbeddingStream } from './embedding-stream.js'
import type { ItemKind } from './items.js'
import { checkSource, knownTotal } from './source.js'
import { warnOnceIfTruncated } from './truncation-warning.js'

/** What is known of a call's rows before they are put together. */
export interface ExpectedRows {
  /** How many are known to come; 0 where nobody says. */
  rows: number
  /** Dimensions of the model's vectors; 0 where they have none, or the graph leaves it open. */
  dim: number
}

/** What a family says of one of its calls. */
export interface FamilyCall<B> {
  loaded: LoadedModel
  source: unknown
  kind: ItemKind<unknown>
  call: Call<unknown>
  /** The job's options, once the model is there: what depends on it. */
  prepare?(native: NativeModel): NativeJobOptions
  decode(batch: NativeBatch, inputErrors: Map<number, MillraceError>): B
  /** Puts batches together. */
  collector(expected: ExpectedRows): Collector<B>
}

/** The stream of a call. Throws INPUT_INVALID when `source` is no source; the rest comes with reading. */
export function openStream<B extends EmbeddingBatch<unknown> & { readonly truncated: Uint8Array }, Row>({
  loaded,
  source,
  kind,
  call,
  prepare,
  decode,
  collector,
}: FamilyCall<B>): EmbeddingStream<B, Row> {
  checkSource(source, kind)
  const { job, cache, signal, onProgress, overflowChosen } = call
  const total = call.total ?? knownTotal(source, kind)
  let model: NativeModel | undefined
  return new EmbeddingStream<B, Row>({
    source,
    kind,
    async open(): Promise<NativeJob> {
      const native = await loaded.get()
      model = native
      const options = prepare?.(native) ?? job
      if (cache === undefined || !loaded.caching.serves(options)) return unwrap(native.submit(options))
      const opened = await loaded.caching.open(loadAddon().addon, native, options, cache)
      return unwrap(opened)
    },
    decode(batch, inputErrors) {
      const decoded = decode(batch, inputErrors)
      if (!overflowChosen) warnOnceIfTruncated(decoded.truncated)
      return decoded
    },
    collector: () => collector({ rows: total ?? 0, dim: model?.info().dim ?? 0 }),
    collect: job.errors === 'collect',
    spanAttributes: { 'millrace.model': loaded.name },
    ...(signal !== undefined && { signal }),
    ...(onProgress !== undefined && { onProgress }),
    ...(total !== undefined && { total }),
  })
}
