/**
 * The first stages of a run: documents are checked, named, looked up, cleaned, compared and cut. They come out in slices, as jobs whose chunks
 * wait for the models, or that are settled already. How a source is read is in `document-slices.ts`, how documents are cut in `cutting.ts`, and what
 * becomes of a job's chunks in `embed.ts`.
 */

import { MillraceError } from '../base/errors.js'
import { breathe } from '../base/turn.js'
import type { NativeAddon } from '../binding/types.js'
import type { DropReason } from '../metrics/metrics.js'
import { type Chunkers, cutDocuments } from './cutting.js'
import type { DocumentSource, PipelineDocument } from './document.js'
import { checkDocument, NAMELESS } from './document-check.js'
import { DocumentSlices } from './document-slices.js'
import type { Duplicates } from './duplicates.js'
import { DocumentJob, type RowShape } from './job.js'
import { type DocumentTable, Outcome } from './journal/document-table.js'
import { nameContent, nameIds } from './names.js'
import type { PipelinePlan } from './options.js'
import { type Prepared, prepareDocuments } from './prepare.js'
import type { Tally } from './tally.js'

/** What the intake needs. */
export interface IntakeContext {
  addon: NativeAddon
  plan: PipelinePlan
  /** Absent: documents are taken whole. */
  chunkers: Chunkers | undefined
  duplicates: Duplicates | undefined
  table: DocumentTable
  shape: RowShape
  /** Try again what failed in an earlier run. */
  retryFailed: boolean
  tally: Tally
}

/** A document of a slice. */
interface Entry {
  index: number
  id: string
  name: string
  content: string
  document: PipelineDocument
  /** Cleaned. */
  text: string
  /** Why it will not be embedded, where it will not. */
  outcome: Outcome | undefined
  /** Why it is dropped, if it is. */
  why: DropReason | undefined
  error: MillraceError | undefined
  /** The source could not read it, or gave no document: what the store has of it is neither confirmed nor out of date. */
  isUnreadable: boolean
}

/** Reads a source to its end. */
export class Intake {
  readonly #context: IntakeContext
  readonly #slices: DocumentSlices
  #read = 0

  constructor(context: IntakeContext, source: DocumentSource) {
    this.#context = context
    this.#slices = new DocumentSlices(source, context.plan.concurrency)
  }

  /** Releases the source, at its end or before. */
  async stop(): Promise<void> {
    await this.#slices.stop()
  }

  /** Jobs in the order of the source; documents that need nothing done are counted only. */
  async *slices(): AsyncGenerator<DocumentJob[], void, undefined> {
    const { times } = this.#context.tally
    for (let done = false; !done; ) {
      const started = performance.now()
      const slice = await this.#slices.next()
      done = slice.done
      const prepared = performance.now()
      times.sourceMs += prepared - started
      await breathe()
      const entries = await this.#entries(slice.items)
      await this.#prepare(entries)
      await breathe()
      const chunked = performance.now()
      times.prepareMs += chunked - prepared
      const jobs = await this.#jobs(entries)
      times.chunkMs += performance.now() - chunked
      await breathe()
      if (jobs.length > 0) yield jobs
    }
  }

  /** Names documents and looks them up. */
  async #entries(items: readonly unknown[]): Promise<Entry[]> {
    const { addon, table, tally } = this.#context
    const entries: Entry[] = []
    for (const value of items) {
      const index = this.#read++
      const { document, error, isUnread } = checkDocument(value, index)
      const entry: Entry = {
        index,
        id: document.id,
        name: '',
        content: '',
        document,
        text: document.text,
        outcome: undefined,
        why: undefined,
        error,
        isUnreadable: error !== undefined,
      }
      entries.push(entry)
      // Whatever documents this would have been, they may be in the store.
      if (isUnread) tally.unread++
    }
    tally.counts.read += entries.length
    const names = nameIds(
      addon,
      entries.map(({ id }) => id),
    )
    for (const [i, entry] of entries.entries()) {
      entry.name = names[i] ?? ''
      if (!table.see(entry.name)) {
        entry.error = new MillraceError('INPUT_INVALID', `The id '${entry.id}' came before in this source`)
        entry.id = `${NAMELESS}${entry.index}`
        entry.name = nameIds(addon, [entry.id])[0] ?? ''
        table.see(entry.name)
      }
      entry.content = await nameContent(addon, entry.document)
      await breathe()
      if (entry.error !== undefined) entry.outcome = Outcome.failed
    }
    return entries
  }

  /** Cleans documents and finds those that are left out. */
  async #prepare(entries: readonly Entry[]): Promise<void> {
    const { addon, plan, duplicates } = this.#context
    // What has not changed was cleaned before; its text is needed only where others are compared with it, or to say why it is left out.
    const open = entries.filter(
      (entry) =>
        entry.error === undefined &&
        (duplicates !== undefined || !this.#isSettled(entry) || this.#isDropped(entry)),
    )
    await breathe()
    const prepared = await prepareDocuments(
      addon,
      plan,
      open.map(({ document }) => document),
    )
    for (const [i, entry] of open.entries()) {
      const { text, why } = prepared[i] as Prepared
      entry.text = text
      entry.why = why
      if (why !== undefined) entry.outcome = Outcome.dropped
    }
    if (duplicates === undefined) return
    const compared = open.filter(({ outcome }) => outcome === undefined)
    const marks = await duplicates.mark(compared.map(({ text }) => text))
    for (const [i, entry] of compared.entries()) if (marks[i] === true) entry.outcome = Outcome.duplicate
  }

  #isDropped({ name }: Entry): boolean {
    return this.#context.table.get(name)?.outcome === Outcome.dropped
  }

  /** Whether the store has the document as it is, as far as its content and the journal tell. */
  #isSettled({ name, content }: Entry): boolean {
    const known = this.#context.table.get(name)
    if (known === undefined || known.content !== content) return false
    switch (known.outcome) {
      case Outcome.written:
      case Outcome.dropped:
      case Outcome.duplicate:
        return true
      case Outcome.failed:
        return !this.#context.retryFailed
      case Outcome.none:
      case Outcome.begun:
        return false
    }
  }

  /** The jobs of documents that something must be done for, cut. */
  async #jobs(entries: readonly Entry[]): Promise<DocumentJob[]> {
    const { plan, chunkers, table, shape } = this.#context
    const jobs: DocumentJob[] = []
    const toCut: { job: DocumentJob; entry: Entry }[] = []
    for (const entry of entries) {
      const known = table.get(entry.name)
      if (this.#isSettled(entry) && this.#staysSo(entry, known?.outcome)) {
        this.#countSettled(known?.outcome ?? Outcome.none, entry.why)
        continue
      }
      // A file that cannot be read today is no reason to remove what was read of it yesterday, also where a run died after it had
      // noted that it would replace it.
      const inStore = known?.outcome === Outcome.written || known?.outcome === Outcome.begun
      const keeps = entry.isUnreadable && inStore
      const replaces = !keeps && inStore
      const { index, id, document, content, outcome = Outcome.written, why } = entry
      const shownId = document.id.startsWith(NAMELESS) ? '' : document.id
      const job = new DocumentJob({ index, id, shownId, content, replaces, keeps, outcome, why })
      if (entry.error !== undefined) job.fail(entry.error)
      else if (job.outcome === Outcome.written) toCut.push({ job, entry })
      jobs.push(job)
    }
    const cut = await cutDocuments(
      plan,
      chunkers,
      toCut.map(({ entry }) => entry),
    )
    for (const [i, { job, entry }] of toCut.entries()) {
      const records = cut[i] ?? []
      if (records instanceof MillraceError) job.fail(records)
      else if (records.length === 0) job.leaveOut('empty')
      else job.expect(records, shape)
      entry.text = ''
    }
    return jobs
  }

  /** A document may have become, or ceased to be, a duplicate of others that changed. */
  #staysSo({ outcome }: Entry, known: Outcome | undefined): boolean {
    const { duplicates } = this.#context
    if (duplicates === undefined || known === Outcome.failed) return true
    return (outcome ?? Outcome.written) === known
  }

  #countSettled(outcome: Outcome, why: DropReason = 'empty'): void {
    const { tally } = this.#context
    const { counts } = tally
    if (outcome === Outcome.written) counts.unchanged++
    else if (outcome === Outcome.duplicate) counts.duplicates++
    else if (outcome === Outcome.dropped) tally.countDropped(why)
    else counts.failed++
  }
}
