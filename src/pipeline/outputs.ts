/**
 * What a run writes to: the sink, the dead letters and the journal of both. Here they are opened in an order in which a refusal changes nothing, what
 * runs that died left behind is removed, and all are closed. Batches are written by `writer.ts`.
 */

import { MillraceError } from '../base/errors.js'
import { loadAddon } from '../binding/load.js'
import { DocumentTable, Outcome } from './journal/document-table.js'
import { type Fingerprint, Journal, takenOver } from './journal/journal.js'
import { nameIds } from './names.js'
import type { PipelinePlan } from './options.js'
import { isStoreRefusal } from './refusal.js'
import type { VectorSchema } from './sink.js'
import { SinkCalls } from './sink-calls.js'

/** What runs are opened for. */
export interface OutputFacts {
  schema: VectorSchema
  fingerprint: Fingerprint
}

/** Sink, dead letters and journal of one run. */
export class Outputs {
  readonly calls: SinkCalls
  readonly #plan: PipelinePlan
  readonly #abort: (reason: unknown) => void
  readonly #stop: AbortSignal
  /** How what was opened is closed, in the order of the openings. */
  readonly #ends: (() => Promise<unknown>)[] = []
  #journal: Journal | undefined
  /** What is known of documents where there is no journal: nothing. */
  readonly #blank = new DocumentTable()
  #freed: Promise<unknown> = Promise.resolve()

  /** `abort` ends the run, which aborts `stop`. */
  constructor(plan: PipelinePlan, stop: AbortSignal, abort: (reason: unknown) => void) {
    this.#plan = plan
    this.#stop = stop
    this.#abort = abort
    this.calls = new SinkCalls(stop)
  }

  get journal(): Journal | undefined {
    return this.#journal
  }

  /** What is known of documents. */
  get table(): DocumentTable {
    return this.#journal?.table ?? this.#blank
  }

  /** Opens everything. The store and the files are as they were if one of them refuses. */
  async open({ schema, fingerprint }: OutputFacts): Promise<void> {
    await this.#openJournal(fingerprint)
    try {
      await this.#openSinks(schema)
    } catch (error) {
      if (isRefusal(error)) await this.#journal?.discard()
      throw error
    }
  }

  async #openSinks(schema: VectorSchema): Promise<void> {
    const { sink, deadLetters } = this.#plan
    const journal = this.#journal
    const { sink: checkpoint, deadLetters: told } = journal?.checkpoints ?? {}
    if (deadLetters !== undefined) {
      this.#ends.push(() => this.calls.run(deadLetters, () => deadLetters.close()))
      await this.calls.run(deadLetters, () => deadLetters.open(told))
    }
    this.#ends.push(() => this.calls.run(sink, () => sink.close()))
    await this.calls.run(sink, () =>
      sink.open({
        schema,
        signal: this.#stop,
        ...(checkpoint !== undefined && { checkpoint }),
        ...(journal !== undefined && { journal: journal.summary }),
      }),
    )
    // From here on the store is this journal's: a run that dies before its first batch goes on from an empty one.
    const isNew = checkpoint === undefined
    const isNewlyTold = deadLetters !== undefined && told === undefined
    if (journal === undefined || !(isNew || isNewlyTold)) return
    await journal.commit([], {
      ...(isNew && { sink: await this.calls.run(sink, () => sink.commit()) }),
      ...(isNewlyTold && { deadLetters: await this.calls.run(deadLetters, () => deadLetters.commit()) }),
    })
  }

  /** Removes what a run that died left of documents that the source no longer has; with `prune` all that it no longer has. Answers how many. */
  async removeLeftovers(prune: boolean): Promise<number> {
    const journal = this.#journal
    const { sink } = this.#plan
    if (journal === undefined || sink.remove === undefined) return 0
    if (!prune && journal.table.count(Outcome.begun) === 0) return 0
    const { addon } = loadAddon()
    let removed = 0
    for await (const ids of journal.unseen()) {
      this.#stop.throwIfAborted()
      const outcomes = nameIds(addon, ids).map((name) => journal.table.get(name)?.outcome)
      const gone = ids.filter((_, i) => prune || outcomes[i] === Outcome.begun)
      if (gone.length === 0) continue
      const stored = ids.filter(
        (_, i) => outcomes[i] === Outcome.begun || (prune && outcomes[i] === Outcome.written),
      )
      if (stored.length > 0) {
        await journal.begin(stored)
        await this.calls.run(sink, () => sink.remove?.(stored))
      }
      const checkpoint = await this.calls.run(sink, () => sink.commit())
      const settled = gone.map((id) => ({ id, content: '', outcome: Outcome.none }))
      await journal.commit(settled, { sink: checkpoint })
      removed += stored.length
    }
    return removed
  }

  /** Makes the last dead letters last. */
  async finish(): Promise<void> {
    const { deadLetters } = this.#plan
    if (deadLetters !== undefined) await this.calls.run(deadLetters, () => deadLetters.commit())
  }

  /**
   * Closes everything in the opposite order of the openings, and throws the first error. Where a sink has left a call unanswered after an abort, the
   * journal stays held until it answers, so that no other run writes beside it; `freed` then resolves later than this.
   */
  async close(): Promise<void> {
    let failure: { error: unknown } | undefined
    for (const end of this.#ends.reverse()) await end().catch((error: unknown) => (failure ??= { error }))
    const freeing = this.calls.settled().then(() => this.#journal?.close())
    freeing.catch(() => {})
    this.#freed = freeing.catch(() => {})
    if (!this.#stop.aborted) await freeing
    else if (await isSoon(this.#freed)) await freeing
    if (failure !== undefined) throw failure.error
  }

  /** Resolves when nothing of the run touches the store any more. */
  get freed(): Promise<unknown> {
    return this.#freed
  }

  async #openJournal(fingerprint: Fingerprint): Promise<void> {
    const { journal: path } = this.#plan
    if (path === false) return
    const { addon } = loadAddon()
    const journal = await Journal.open(path, fingerprint, (ids) => nameIds(addon, ids), this.#stop)
    this.#journal = journal
    journal.lost.addEventListener('abort', () => this.#abort(takenOver(path)), { once: true })
  }
}

/** Whether a sink found, before it changed anything, that the run must not be. */
function isRefusal(error: unknown): boolean {
  return isStoreRefusal(error) || (error instanceof MillraceError && error.code === 'INVALID_OPTION')
}

/** How long the journal of an aborted run may take to be closed: a flush to the disk. */
const CLOSE_MS = 100

/** Whether it resolves before long. */
export async function isSoon(promise: Promise<unknown>, ms = CLOSE_MS): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
