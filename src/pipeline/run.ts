/** One run of a pipeline: opens what it writes to, lets the stages work, and ends everything, however it ends. */

import { invalidOption, MillraceError } from '../base/errors.js'
import { loadAddon } from '../binding/load.js'
import { beginTrace, type Trace } from '../metrics/tracing.js'
import type { Checked } from '../options/check.js'
import type { DocumentSource } from './document.js'
import { checkDocumentSource } from './document-slices.js'
import { Duplicates } from './duplicates.js'
import { embedAll } from './embed.js'
import { Gate } from './gate.js'
import { Intake } from './intake.js'
import { Outcome } from './journal/document-table.js'
import type { ModelFacts, PipelineModels } from './models.js'
import type { PipelinePlan, PipelineRunOptions } from './options.js'
import { Outputs } from './outputs.js'
import { reportOf, tellProgress, totalOf } from './progress.js'
import type { PipelineReport } from './report.js'
import { Tally } from './tally.js'
import { Writer } from './writer.js'

/**
 * Weight of what is on its way, in chunks of ordinary size of 8 KiB. The engine plans well with a thousand texts (padding of 0.5 %); and
 * while one batch is written and the next gathered, there must be as many.
 */
const WAITING_WEIGHT = 2048
const WAITING_BATCHES = 3

/** One run. */
export class PipelineRun {
  readonly tally = new Tally()
  readonly #plan: PipelinePlan
  readonly #models: PipelineModels
  readonly #options: Checked<PipelineRunOptions>
  readonly #stop = new AbortController()
  readonly #started = performance.now()
  readonly #outputs: Outputs
  #gate: Gate | undefined
  #trace: Trace | undefined
  #pruneSkipped = false

  constructor(plan: PipelinePlan, models: PipelineModels, options: Checked<PipelineRunOptions>) {
    this.#plan = plan
    this.#models = models
    this.#options = options
    this.#outputs = new Outputs(plan, this.#stop.signal, (reason) => this.abort(reason))
  }

  /** What is on its way. */
  get waiting(): { chunks: number; documents: number } {
    return { chunks: this.#gate?.chunks ?? 0, documents: this.#gate?.documents ?? 0 }
  }

  /** Resolves when nothing of the run touches the store any more: after its end, where a sink does not answer. */
  get freed(): Promise<unknown> {
    return this.#outputs.freed
  }

  /** Ends the run early with this error. */
  abort(reason: unknown): void {
    this.#stop.abort(reason)
    this.#gate?.close(reason)
  }

  /** Reads the source to its end. Rejects with the first error, once everything is freed or a second has passed. */
  async work(source: DocumentSource): Promise<PipelineReport> {
    this.#trace = beginTrace('millrace.pipeline.run', { 'millrace.sink': this.#plan.sink.name })
    const facts = () => ({
      'millrace.documents': this.tally.counts.read,
      'millrace.chunks': this.tally.chunks,
    })
    try {
      const report = await this.#work(source)
      this.#trace?.end(facts())
      return report
    } catch (error) {
      this.#trace?.end(facts(), error)
      throw error
    }
  }

  async #work(source: DocumentSource): Promise<PipelineReport> {
    const { signal, prune = false } = this.#options
    checkDocumentSource(source)
    if (prune !== false && (this.#plan.journal === false || this.#plan.sink.remove === undefined)) {
      throw invalidOption('prune', 'false without a journal, or with a sink that cannot remove', prune)
    }
    signal?.throwIfAborted()
    const onAbort = () => this.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const facts = await this.#models.facts()
      this.#throwIfStopped()
      await this.#writeAll(source, facts, prune)
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
    return reportOf(this.tally, this.#started, this.#pruneSkipped)
  }

  async #writeAll(source: DocumentSource, facts: ModelFacts, prune: boolean | 'all'): Promise<void> {
    let endTelling: ((quiet: boolean) => void) | undefined
    try {
      await this.#outputs.open(facts)
      endTelling = await this.#tellProgress(source)
      const before = this.#outputs.table.count(Outcome.written)
      await this.#process(source, facts)
      const mayPrune = this.#mayPrune(prune, before)
      // Where the source could not read something, even what was begun may be a document that is still there, as it was.
      if (this.tally.unread === 0) this.tally.pruned += await this.#outputs.removeLeftovers(mayPrune)
      await this.#outputs.finish()
      endTelling?.(false)
      this.#throwIfStopped()
    } catch (error) {
      // What stopped the run says more than what its parts say of being stopped.
      const reason = this.#stop.signal.aborted ? this.#stop.signal.reason : error
      this.abort(reason)
      endTelling?.(true)
      await this.#outputs.close().catch(() => {})
      throw reason
    }
    await this.#outputs.close()
    this.#throwIfStopped()
  }

  /**
   * Whether what the source no longer has may be removed. A source that could not read something does not say what is gone; and one that has
   * nothing of `before` documents is more often away than empty.
   */
  #mayPrune(prune: boolean | 'all', before: number): boolean {
    if (prune === false) return false
    if (this.tally.unread > 0) {
      this.#pruneSkipped = true
      return false
    }
    const { table } = this.#outputs
    if (prune === 'all' || before === 0 || table.count(Outcome.written, { unseen: true }) < before)
      return true
    throw new MillraceError(
      'INPUT_INVALID',
      `Expected a source that still has some of the ${before} documents in the store but received none of them: ` +
        "is it all there? With prune: 'all' (--prune-all) they are removed all the same",
    )
  }

  #throwIfStopped(): void {
    if (this.#stop.signal.aborted) throw this.#stop.signal.reason
  }

  async #tellProgress(source: DocumentSource): Promise<((quiet: boolean) => void) | undefined> {
    const { onProgress, total } = this.#options
    if (onProgress === undefined) return undefined
    return tellProgress(
      onProgress,
      total ?? (await Promise.race([totalOf(source), aborted(this.#stop.signal)])),
      {
        tally: this.tally,
        waiting: () => this.waiting,
        started: this.#started,
        cache: this.#plan.cache,
        onError: (error) => this.abort(error),
      },
    )
  }

  async #process(source: DocumentSource, { shape, chunkers }: ModelFacts): Promise<void> {
    const { addon } = loadAddon()
    const plan = this.#plan
    const { tally } = this
    const { table, journal, calls } = this.#outputs
    const weight = Math.max(WAITING_WEIGHT, WAITING_BATCHES * plan.batchRecords)
    const gate = new Gate({ weight, documents: plan.concurrency })
    this.#gate = gate
    const duplicates = plan.duplicates === false ? undefined : new Duplicates(plan.duplicates.near)
    const retryFailed = this.#options.retryFailed ?? false
    const intake = new Intake({ addon, plan, chunkers, duplicates, table, shape, retryFailed, tally }, source)
    const writer = new Writer({
      trace: this.#trace,
      plan,
      calls,
      shape,
      journal,
      gate,
      tally,
      onError: (error) => this.abort(error),
    })
    const working = embedAll(intake.slices(), {
      lanes: this.#models.lanes(this.#stop.signal),
      gate,
      tally,
      announce: (job) => writer.announce(job),
      complete: (job) => writer.complete(job),
    })
    try {
      // A source that hangs ends neither by itself nor by being asked.
      await Promise.race([working, aborted(this.#stop.signal)])
      await writer.finish()
      this.#throwIfStopped()
    } catch (error) {
      working.catch(() => {})
      this.abort(error)
      await writer.stop()
      throw error
    } finally {
      await intake.stop()
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** Two runs at a time would write each other's documents. */
export const busy = (): MillraceError =>
  new MillraceError('OVERLOADED', 'A run of this pipeline is under way: a pipeline runs once at a time')
