/** The public class that takes documents to a store. It checks, names and wires; the stages are in the neighbouring files. */

import { MillraceError } from '../base/errors.js'
import type { SparseEmbeddingStream } from '../families/sparse-text-embedding.js'
import type { TextEmbeddingStream } from '../families/text-embedding.js'
import type { PipelineMetrics } from '../metrics/metrics.js'
import type { TieredCache } from '../options/cache.js'
import type { EmbedOptions } from '../options/dense.js'
import type { SparseEmbedOptions } from '../options/sparse.js'
import type { TextSource } from '../stream/source.js'
import { checkLanguages } from '../text/prepare.js'
import type { DocumentSource } from './document.js'
import { PipelineModels } from './models.js'
import {
  type EmbeddingPipelineOptions,
  type PipelinePlan,
  type PipelineRunOptions,
  parsePipeline,
  parseRun,
} from './options.js'
import { isSoon } from './outputs.js'
import type { PipelineReport } from './report.js'
import { busy, PipelineRun } from './run.js'
import { Tally } from './tally.js'

/** How long a run waits for a store that did not answer the run before: a restarted server has answered by then. */
const ANSWER_MS = 2000

/**
 * Takes documents from a source to a store: cleans them, cuts them into chunks that the model takes whole, leaves out what repeats,
 * embeds (dense, sparse or both at once) and writes.
 *
 * Whatever the number of documents, what is on its way is bounded; a slow store slows the reading. With a journal a run that was
 * ended, killed even, goes on where it was: the store is then what it would have been, nothing twice, nothing lost. And the next
 * run over a changed source embeds what has changed only.
 *
 * @example
 * const pipeline = await EmbeddingPipeline.create({ sink: lanceDbSink({ uri: './db', table: 'docs' }) })
 * const report = await pipeline.run(folderSource('./docs'))
 * const [query] = await pipeline.queryEmbed('how do I resize a partition?').toArray()
 */
export class EmbeddingPipeline implements AsyncDisposable {
  readonly #plan: PipelinePlan
  readonly #models: PipelineModels
  readonly #total = new Tally()
  #runs = 0
  #running: { run: PipelineRun; ended: Promise<unknown> } | undefined
  /** The hold of all runs so far on the store: it may outlive a run where a sink did not answer an abort. */
  #freed: Promise<unknown> = Promise.resolve()
  #closed = false

  private constructor(plan: PipelinePlan, models: PipelineModels) {
    this.#plan = plan
    this.#models = models
  }

  /**
   * Loads the models that are not given.
   *
   * @throws MillraceError INVALID_OPTION, and what loading a model finds.
   */
  static async create(options: EmbeddingPipelineOptions): Promise<EmbeddingPipeline> {
    const plan = parsePipeline(options)
    if (plan.prepare !== false) checkLanguages(plan.prepare.languages ?? [])
    return new EmbeddingPipeline(plan, await PipelineModels.open(plan))
  }

  /**
   * Takes every document of the source to the store. One run at a time.
   *
   * @throws MillraceError JOURNAL_MISMATCH where the store was made with another model or other options, JOURNAL_INVALID, SINK_FAILED,
   * OVERLOADED while another run is under way, CLOSED; without `deadLetters` the error of a document, its position as `index`; or what
   * the source throws, or `signal.reason`. After any of them another run goes on where this one was.
   */
  async run(source: DocumentSource, options?: PipelineRunOptions): Promise<PipelineReport> {
    const checked = parseRun(options)
    if (this.#closed) throw new MillraceError('CLOSED', 'The pipeline was closed')
    if (this.#running !== undefined) throw busy()
    const run = new PipelineRun(this.#plan, this.#models, checked)
    const before = this.#freed
    this.#runs++
    const working = this.#afterLast(run, source)
    this.#running = { run, ended: working.catch(() => {}) }
    try {
      return await working
    } finally {
      this.#total.add(run.tally)
      this.#running = undefined
      // A run that was refused because an earlier call is still unanswered must not make that call forgotten.
      this.#freed = Promise.all([before, run.freed])
    }
  }

  /** A call that the store never answered might still come to it, behind what this run writes. */
  async #afterLast(run: PipelineRun, source: DocumentSource): Promise<PipelineReport> {
    if (await isSoon(this.#freed, ANSWER_MS)) return run.work(source)
    throw new MillraceError(
      'SINK_FAILED',
      `The sink ${this.#plan.sink.name} has not answered a call of the run before, which was aborted`,
    )
  }

  /**
   * Dense vectors of queries, as `TextEmbedding.queryEmbed`, with the store's dimensions, but in float32 whatever its format: ahead of a run
   * under way, and with its cache.
   *
   * @throws MillraceError INVALID_OPTION, also where the pipeline has no dense model.
   */
  queryEmbed(
    source: TextSource,
    options?: EmbedOptions<'float32', 'throw'>,
  ): TextEmbeddingStream<'float32', 'throw'> {
    const { dense } = this.#models
    if (dense === undefined) throw new MillraceError('INVALID_OPTION', 'The pipeline has no dense model')
    const { dimensions } = this.#plan
    return dense.queryEmbed(source, {
      dtype: 'float32',
      errors: 'throw',
      ...(dimensions !== undefined && { dimensions }),
      ...this.#cache(),
      ...options,
    })
  }

  /**
   * Sparse vectors of queries, as `SparseTextEmbedding.queryEmbed`.
   *
   * @throws MillraceError INVALID_OPTION, also where the pipeline has no sparse model.
   */
  sparseQueryEmbed(
    source: TextSource,
    options?: SparseEmbedOptions<'throw'>,
  ): SparseEmbeddingStream<'throw'> {
    const { sparse } = this.#models
    if (sparse === undefined) throw new MillraceError('INVALID_OPTION', 'The pipeline has no sparse model')
    return sparse.queryEmbed(source, { errors: 'throw', ...this.#cache(), ...options })
  }

  /** Counters over all runs so far, the one under way included, with those of the models. */
  metrics(): PipelineMetrics {
    const total = new Tally()
    total.add(this.#total)
    if (this.#running !== undefined) total.add(this.#running.run.tally)
    const { counts, times, errors, droppedBy, chunks, tokens, truncated, records, commits } = total
    const { dense, sparse } = this.#models
    return {
      runs: this.#runs,
      ...counts,
      ...times,
      chunks,
      tokens,
      truncated,
      records,
      commits,
      waitingChunks: this.#running?.run.waiting.chunks ?? 0,
      waitingDocuments: this.#running?.run.waiting.documents ?? 0,
      droppedBy,
      errors,
      ...(dense !== undefined && { dense: dense.metrics() }),
      ...(sparse !== undefined && { sparse: sparse.metrics() }),
    }
  }

  /** Ends a run under way, which rejects with CLOSED, and closes the models that were loaded here. May be called again. */
  async close(): Promise<void> {
    this.#closed = true
    this.#running?.run.abort(new MillraceError('CLOSED', 'The pipeline was closed'))
    await this.#running?.ended
    await this.#models.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #cache(): { cache?: TieredCache | false } {
    const { cache } = this.#plan
    return cache === undefined ? {} : { cache }
  }
}
