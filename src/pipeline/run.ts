/** One run of a pipeline: opens journal and sinks, lets the stages work, and ends everything, however it ends. */

import { invalidOption, MillraceError } from '../base/errors.js'
import { loadAddon } from '../binding/load.js'
import { beginTrace, type Trace } from '../metrics/tracing.js'
import type { Checked } from '../options/check.js'
import type { DocumentSource, NamedDocumentSource } from './document.js'
import { Duplicates } from './duplicates.js'
import { embedAll } from './embed.js'
import { Gate } from './gate.js'
import { checkDocumentSource, Intake } from './intake.js'
import { DocumentTable, Outcome } from './journal/document-table.js'
import { Journal, takenOver } from './journal/journal.js'
import type { ModelFacts, PipelineModels } from './models.js'
import { nameIds } from './names.js'
import type { PipelinePlan, PipelineRunOptions } from './options.js'
import type { PipelineProgress, PipelineReport } from './report.js'
import { Tally } from './tally.js'
import { guarded, Writer } from './writer.js'

/** Ten times a second: smooth for an eye, nothing for a processor. */
const PROGRESS_MS = 100

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
  #gate: Gate | undefined
  #trace: Trace | undefined
  #pruneSkipped = false

  constructor(plan: PipelinePlan, models: PipelineModels, options: Checked<PipelineRunOptions>) {
    this.#plan = plan
    this.#models = models
    this.#options = options
  }

  /** What is on its way. */
  get waiting(): { chunks: number; documents: number } {
    return { chunks: this.#gate?.chunks ?? 0, documents: this.#gate?.documents ?? 0 }
  }

  /** Ends the run early with this error. */
  abort(reason: unknown): void {
    this.#stop.abort(reason)
    this.#gate?.close(reason)
  }

  /** Reads the source to its end. Rejects with the first error, once everything is freed. */
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
    const { signal, onProgress, prune = false } = this.#options
    const { sink, deadLetters } = this.#plan
    checkDocumentSource(source)
    if (prune !== false && (this.#plan.journal === false || sink.remove === undefined)) {
      throw invalidOption('prune', 'false without a journal, or with a sink that cannot remove', prune)
    }
    signal?.throwIfAborted()
    const onAbort = () => this.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    const facts = await this.#models.facts().catch((error: unknown) => {
      signal?.removeEventListener('abort', onAbort)
      throw error
    })
    const ends: (() => Promise<unknown>)[] = [async () => signal?.removeEventListener('abort', onAbort)]
    try {
      this.#throwIfStopped()
      const journal = await this.#openJournal(facts)
      if (journal !== undefined) {
        ends.push(() => journal.close())
        const { path, lost } = journal
        lost.addEventListener('abort', () => this.abort(takenOver(path)), { once: true })
      }
      await this.#openSinks(facts, journal, ends)
      if (onProgress !== undefined) ends.push(await this.#reportTo(onProgress, source))
      const before = journal?.table.count(Outcome.written) ?? 0
      await this.#process(source, facts, journal)
      if (journal !== undefined) await this.#removeLeftovers(journal, this.#mayPrune(journal, prune, before))
      if (deadLetters !== undefined) await guarded(deadLetters, () => deadLetters.commit())
      this.#throwIfStopped()
    } catch (error) {
      // What stopped the run says more than what its parts say of being stopped.
      const reason = this.#stop.signal.aborted ? this.#stop.signal.reason : error
      this.abort(reason)
      await endAll(ends).catch(() => {})
      throw reason
    }
    await endAll(ends)
    return this.#report()
  }

  #throwIfStopped(): void {
    if (this.#stop.signal.aborted) throw this.#stop.signal.reason
  }

  async #openJournal({ fingerprint }: ModelFacts): Promise<Journal | undefined> {
    const { journal } = this.#plan
    if (journal === false) return undefined
    const { addon } = loadAddon()
    return Journal.open(journal, fingerprint, (ids) => nameIds(addon, ids), this.#stop.signal)
  }

  async #openSinks(
    { schema }: ModelFacts,
    journal: Journal | undefined,
    ends: (() => Promise<unknown>)[],
  ): Promise<void> {
    const { sink, deadLetters } = this.#plan
    const { sink: checkpoint, deadLetters: told } = journal?.checkpoints ?? {}
    ends.push(() => guarded(sink, () => sink.close()))
    const at = checkpoint !== undefined && { checkpoint }
    await guarded(sink, () => sink.open({ schema, signal: this.#stop.signal, ...at }))
    if (deadLetters !== undefined) {
      ends.push(() => guarded(deadLetters, () => deadLetters.close()))
      await guarded(deadLetters, () => deadLetters.open(told))
    }
    // From here on the store is this journal's: a run that dies before its first batch goes on from an empty one.
    const isNew = checkpoint === undefined
    const isNewlyTold = deadLetters !== undefined && told === undefined
    if (journal === undefined || !(isNew || isNewlyTold)) return
    await journal.commit([], {
      ...(isNew && { sink: await guarded(sink, () => sink.commit()) }),
      ...(isNewlyTold && { deadLetters: await guarded(deadLetters, () => deadLetters.commit()) }),
    })
  }

  async #process(source: DocumentSource, facts: ModelFacts, journal: Journal | undefined): Promise<void> {
    const { shape, chunkers } = facts
    const { addon } = loadAddon()
    const plan = this.#plan
    const { tally } = this
    const weight = Math.max(WAITING_WEIGHT, WAITING_BATCHES * plan.batchRecords)
    const gate = new Gate({ weight, documents: plan.concurrency })
    this.#gate = gate
    const duplicates = plan.duplicates === false ? undefined : new Duplicates(plan.duplicates.near)
    const table = journal?.table ?? new DocumentTable()
    const retryFailed = this.#options.retryFailed ?? false
    const intake = new Intake({ addon, plan, chunkers, duplicates, table, shape, retryFailed, tally }, source)
    const writer = new Writer({
      trace: this.#trace,
      plan,
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

  /**
   * Whether what the source no longer has may be removed. A source that could not read something does not say what is gone; and one that has
   * nothing of `before` documents is more often away than empty.
   */
  #mayPrune({ table }: Journal, prune: boolean | 'all', before: number): boolean {
    if (prune === false) return false
    if (this.tally.unread > 0) {
      this.#pruneSkipped = true
      return false
    }
    if (prune === 'all' || before === 0 || table.count(Outcome.written, { unseen: true }) < before)
      return true
    throw new MillraceError(
      'INPUT_INVALID',
      `Expected a source that still has some of the ${before} documents in the store but received none of them: ` +
        "is it all there? With prune: 'all' (--prune-all) they are removed all the same",
    )
  }

  /** Removes what a run that died left of documents that the source no longer has; with `prune` all that it no longer has. */
  async #removeLeftovers(journal: Journal, prune: boolean): Promise<void> {
    const { sink } = this.#plan
    if (sink.remove === undefined || (!prune && journal.table.count(Outcome.begun) === 0)) return
    // Where the source could not read something, even what was begun may be a document that is still there, as it was.
    if (this.tally.unread > 0) return
    const { addon } = loadAddon()
    for await (const ids of journal.unseen()) {
      this.#throwIfStopped()
      const names = nameIds(addon, ids)
      const outcomes = names.map((name) => journal.table.get(name)?.outcome)
      const gone = ids.filter((_, i) => prune || outcomes[i] === Outcome.begun)
      if (gone.length === 0) continue
      const stored = ids.filter(
        (_, i) => outcomes[i] === Outcome.begun || (prune && outcomes[i] === Outcome.written),
      )
      if (stored.length > 0) {
        await journal.begin(stored)
        await guarded(sink, () => sink.remove?.(stored))
      }
      const checkpoint = await guarded(sink, () => sink.commit())
      await journal.commit(
        gone.map((id) => ({ id, content: '', outcome: Outcome.none })),
        { sink: checkpoint },
      )
      this.tally.pruned += stored.length
    }
  }

  async #reportTo(
    onProgress: (progress: PipelineProgress) => void,
    source: DocumentSource,
  ): Promise<() => Promise<void>> {
    const total = this.#options.total ?? (await totalOf(source))
    const hits = this.#cacheCounts()
    const tell = () => {
      try {
        onProgress(this.#progress(total, hits))
      } catch (error) {
        this.abort(error)
      }
    }
    const timer = setInterval(tell, PROGRESS_MS).unref()
    return async () => {
      clearInterval(timer)
      if (!this.#stop.signal.aborted) tell()
    }
  }

  #progress(total: number | undefined, before: { hits: number; all: number }): PipelineProgress {
    const { counts, chunks, tokens, truncated, records } = this.tally
    const seconds = (performance.now() - this.#started) / 1000
    const cache = this.#cacheCounts()
    const looked = cache.all - before.all
    return {
      ...counts,
      ...(total !== undefined && { total }),
      chunks,
      tokens,
      truncated,
      records,
      seconds,
      chunksPerSecond: chunks / Math.max(seconds, 1e-3),
      documentsPerSecond: settledOf(counts) / Math.max(seconds, 1e-3),
      waitingChunks: this.waiting.chunks,
      waitingDocuments: this.waiting.documents,
      ...(looked > 0 && { cacheShare: (cache.hits - before.hits) / looked }),
    }
  }

  #cacheCounts(): { hits: number; all: number } {
    const { cache } = this.#plan
    if (cache === undefined || cache === false) return { hits: 0, all: 0 }
    const { hits, misses, shared } = cache.metrics()
    return { hits: hits + shared, all: hits + misses + shared }
  }

  #report(): PipelineReport {
    const { counts, droppedBy, errors, chunks, tokens, truncated, records, replaced, pruned } = this.tally
    const seconds = (performance.now() - this.#started) / 1000
    return {
      ...counts,
      droppedBy,
      errors,
      chunks,
      tokens,
      truncated,
      records,
      replaced,
      pruned,
      pruneSkipped: this.#pruneSkipped,
      seconds,
    }
  }
}

/** Documents of which it is known what became of them. */
function settledOf({
  written,
  unchanged,
  duplicates,
  dropped,
  failed,
}: PipelineProgress | Tally['counts']): number {
  return written + unchanged + duplicates + dropped + failed
}

async function totalOf(source: DocumentSource): Promise<number | undefined> {
  if (Array.isArray(source)) return source.length
  return (source as Partial<NamedDocumentSource>).count?.()
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** Ends in the opposite order of the beginnings; all of them, and then the first error. */
async function endAll(ends: (() => Promise<unknown>)[]): Promise<void> {
  let failure: { error: unknown } | undefined
  for (const end of ends.reverse()) {
    try {
      await end()
    } catch (error) {
      failure ??= { error }
    }
  }
  if (failure !== undefined) throw failure.error
}

/** Two runs at a time would write each other's documents. */
export const busy = (): MillraceError =>
  new MillraceError('OVERLOADED', 'A run of this pipeline is under way: a pipeline runs once at a time')
