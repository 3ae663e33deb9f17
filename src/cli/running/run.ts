/**
 * The one way of all families: a model is loaded, records go through it to a writer at the pace of the slowest, and the
 * model is closed however it ends.
 */

import type { DownloadProgress, ErrorMode, ModelInfo, ModelMetrics, Progress } from '../../../index.js'
import { downloadView } from '../download-view.js'
import { firstOf, type Input } from '../input/records.js'
import type { Batch, RowWriter } from './batch.js'
import { Failures } from './failures.js'
import { Feed } from './feed.js'
import { progressView } from './progress.js'

/** Options of `create` that the way decides. */
export interface Loading {
  signal: AbortSignal
  onDownload: (progress: DownloadProgress) => void
}

/** Options of a call that the way decides. */
export interface Calling {
  signal: AbortSignal
  onProgress: (progress: Progress) => void
  errors: ErrorMode
  batchSize: number
}

/** A loaded model, bound to what is asked of it. */
export interface Loaded<B extends Batch, T> {
  model: {
    readonly model: string
    info(): Promise<ModelInfo>
    metrics(): ModelMetrics
    close(options?: { timeoutMs?: number }): Promise<void>
  }
  embed(source: AsyncIterable<T>, call: Calling): AsyncIterable<B>
}

/** One run. */
export interface Job<B extends Batch, T> {
  load(options: Loading): Promise<Loaded<B, T>>
  input: Input<T>
  /** Most records. */
  limit?: number | undefined
  writer(info: ModelInfo): Promise<RowWriter<B>>
  errors: ErrorMode
  /** Rows of a batch on the way to the output. */
  batchSize: number
  /** What rows are called: `texts`. */
  unit: string
  quiet: boolean
}

/** What a run was. */
export interface RunFacts {
  model: string
  info: ModelInfo
  rows: number
  /** Of the items, special tokens and prompts included, padding not. */
  tokens: number
  /** Items that were cut at the limit. */
  truncated: number
  /** Rows that failed. */
  errors: number
  /** Padding in the computed tokens, 0 to 1. */
  paddingShare: number
  /** From the first read to the last write; loading is apart. */
  seconds: number
  loadSeconds: number
}

/** Runs to the end. Rejects with what failed, and with the signal's reason. */
export async function runJob<B extends Batch, T>(job: Job<B, T>, signal: AbortSignal): Promise<RunFacts> {
  const loading = performance.now()
  const view = downloadView(job.quiet)
  const { model, embed } = await job.load({ signal, onDownload: view.update }).finally(view.stop)
  let finished = false
  try {
    signal.throwIfAborted()
    const info = await model.info()
    const started = performance.now()
    const counts = await pump(job, embed, await job.writer(info), signal)
    finished = true
    const { tokens, paddedTokens } = model.metrics()
    return {
      model: model.model,
      info,
      ...counts,
      paddingShare: paddedTokens > 0 ? 1 - tokens / paddedTokens : 0,
      seconds: (performance.now() - started) / 1000,
      loadSeconds: (started - loading) / 1000,
    }
  } finally {
    // After a failure nobody waits for the rest of the work.
    await model.close(finished ? {} : { timeoutMs: 0 })
  }
}

async function pump<B extends Batch, T>(
  { input, limit, errors, batchSize, unit, quiet }: Job<B, T>,
  embed: Loaded<B, T>['embed'],
  writer: RowWriter<B>,
  signal: AbortSignal,
): Promise<Pick<RunFacts, 'rows' | 'tokens' | 'truncated' | 'errors'>> {
  const records = limit === undefined ? input.records : firstOf(input.records, limit)
  const feed = new Feed(records, errors === 'collect')
  const view = progressView(unit, quiet)
  const onProgress = (progress: Progress) =>
    view.update(progress, shareOf(progress.done, feed, input.total, limit))
  const failures = new Failures()
  const counts = { rows: 0, tokens: 0, truncated: 0 }
  try {
    for await (const batch of embed(feed.items(), { signal, onProgress, errors, batchSize })) {
      const taken = feed.take(batch.length)
      await writer.write(batch, taken)
      counts.rows += batch.length
      for (const tokens of batch.tokens) counts.tokens += tokens
      for (const cut of batch.truncated) counts.truncated += cut
      if (batch.errors.size > 0) failures.add(batch, taken)
    }
    await writer.finish()
  } catch (error) {
    throw feed.withPlace(error)
  } finally {
    view.stop()
  }
  failures.close()
  return { ...counts, errors: failures.count }
}

/** How much of the work `done` rows are, where the input's size or the limit tells. */
function shareOf(
  done: number,
  feed: Feed<unknown>,
  total: number | undefined,
  limit: number | undefined,
): number | undefined {
  const read = total === undefined || total === 0 ? undefined : Math.min(feed.endOf(done) / total, 1)
  const limited = limit === undefined ? undefined : Math.min(done / limit, 1)
  return read === undefined && limited === undefined ? undefined : Math.max(read ?? 0, limited ?? 0)
}
