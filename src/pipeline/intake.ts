/**
 * The first stages of a run: documents are read, named, cleaned, compared, cut. They come out in slices, as jobs whose chunks
 * wait for the models, or that are settled already. What becomes of a job's chunks is in `embed.ts`.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../base/errors.js'
import { isPromise } from '../base/foreign.js'
import { isRecord } from '../base/is.js'
import { breathe } from '../base/turn.js'
import type { NativeAddon } from '../binding/types.js'
import type { DropReason } from '../metrics/metrics.js'
import { checkSource, openSource, type Slice, type SourceReader } from '../stream/source.js'
import type { TextChunk, TextChunker } from '../text/chunk.js'
import type { DocumentSource, PipelineDocument } from './document.js'
import type { Duplicates } from './duplicates.js'
import { DocumentJob, isId, isUnreadable, NAMELESS, type RowShape, whyNoDocument } from './job.js'
import { type DocumentTable, Outcome } from './journal/document-table.js'
import { nameContent, nameIds } from './names.js'
import type { PipelinePlan } from './options.js'
import { keepsMarkup, type Prepared, prepareDocuments } from './prepare.js'
import type { PipelineRecord } from './record.js'
import type { Tally } from './tally.js'

/** Documents of a slice, and their characters: few native calls, short turns, little to hold. */
const SLICE_DOCUMENTS = 64
const SLICE_CHARACTERS = 512 * 1024

/** How long a slice waits for more documents after its first: files take turns of the event loop to read. */
const GATHER_MS = 5

/** What the intake needs. */
export interface IntakeContext {
  addon: NativeAddon
  plan: PipelinePlan
  /** Absent: documents are taken whole. */
  chunkers: { plain: TextChunker; markdown: TextChunker } | undefined
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

const DOCUMENTS = {
  expected: 'document',
  placeholder: undefined,
  isOne: () => false,
  encode: (x: unknown) => x,
  streamRemedy: 'give the path of the file to jsonlSource, csvSource or textSource',
  push: () => 0,
}

/** Throws INPUT_INVALID for what is no source of documents. */
export function checkDocumentSource(source: unknown): void {
  checkSource(source, DOCUMENTS)
}

/** Reads a source to its end. */
export class Intake {
  readonly #context: IntakeContext
  readonly #reader: SourceReader
  #reading: Promise<Slice> | undefined
  #read = 0

  constructor(context: IntakeContext, source: DocumentSource) {
    this.#context = context
    this.#reader = openSource(source, DOCUMENTS)
  }

  /** Releases the source, at its end or before. */
  async stop(): Promise<void> {
    await this.#reader.stop()
  }

  /** Jobs in the order of the source; documents that need nothing done are counted only. */
  async *slices(): AsyncGenerator<DocumentJob[], void, undefined> {
    const { times } = this.#context.tally
    for (let done = false; !done; ) {
      const started = performance.now()
      const slice = await this.#readSlice()
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

  /** Some documents: what comes within a few milliseconds, up to a bound. */
  async #readSlice(): Promise<Slice> {
    const most = Math.min(SLICE_DOCUMENTS, this.#context.plan.concurrency)
    const first = await (this.#reading ?? this.#reader.read(most))
    this.#reading = undefined
    const items = [...first.items]
    let { done } = first
    let characters = items.reduce((sum: number, item) => sum + lengthOf(item), 0)
    const late = sleep(GATHER_MS)
    while (!done && items.length < most && characters < SLICE_CHARACTERS) {
      const reading = this.#reader.read(most - items.length)
      const slice = isPromise(reading) ? await Promise.race([reading, late]) : reading
      if (slice === undefined) {
        this.#reading = reading as Promise<Slice>
        // Its error is thrown when it is awaited, in the next slice.
        this.#reading.catch(() => {})
        break
      }
      done = slice.done
      items.push(...slice.items)
      for (const item of slice.items) characters += lengthOf(item)
    }
    return { items, done }
  }

  /** Names documents and looks them up. */
  async #entries(items: readonly unknown[]): Promise<Entry[]> {
    const { addon, table, tally } = this.#context
    const entries: Entry[] = []
    for (const value of items) {
      const index = this.#read++
      const [document, error] = documentOf(value, index)
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
      if (isUnreadable(value) || entry.id.startsWith(NAMELESS)) tally.unread++
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
    const { table, shape } = this.#context
    const jobs: DocumentJob[] = []
    const toCut: { job: DocumentJob; entry: Entry }[] = []
    for (const entry of entries) {
      const known = table.get(entry.name)
      if (this.#isSettled(entry) && this.#staysSo(entry, known?.outcome)) {
        this.#countSettled(known?.outcome ?? Outcome.none, entry.why)
        continue
      }
      // A file that cannot be read today is no reason to remove what was read of it yesterday.
      const keeps = entry.isUnreadable && known?.outcome === Outcome.written
      const replaces = !keeps && (known?.outcome === Outcome.written || known?.outcome === Outcome.begun)
      const { index, id, document, content, outcome = Outcome.written, why } = entry
      const shownId = document.id.startsWith(NAMELESS) ? '' : document.id
      const job = new DocumentJob({ index, id, shownId, content, replaces, keeps, outcome, why })
      if (entry.error !== undefined) job.fail(entry.error)
      else if (job.outcome === Outcome.written) toCut.push({ job, entry })
      jobs.push(job)
    }
    const cut = await this.#cut(toCut.map(({ entry }) => entry))
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

  /** The records of each document without their vectors, or why it has none. */
  async #cut(entries: readonly Entry[]): Promise<(PipelineRecord[] | MillraceError)[]> {
    const { chunkers, plan } = this.#context
    if (chunkers === undefined) return entries.map((entry) => (entry.text === '' ? [] : [recordOf(entry)]))
    const results: (PipelineRecord[] | MillraceError)[] = entries.map(() => [])
    const places = [...entries.keys()]
    const markdown = places.filter((i) => keepsMarkup(plan, (entries[i] as Entry).document.format))
    const plain = places.filter((i) => !markdown.includes(i))
    for (const [chunker, group] of [
      [chunkers.plain, plain],
      [chunkers.markdown, markdown],
    ] as const) {
      const chunks = await chunkEach(
        chunker,
        group.map((i) => (entries[i] as Entry).text),
      )
      for (const [at, i] of group.entries()) {
        const found = chunks[at] ?? []
        const entry = entries[i] as Entry
        results[i] =
          found instanceof MillraceError ? found : found.map((chunk, n) => recordOf(entry, chunk, n))
      }
    }
    return results
  }
}

/** What a source gave as a document, and why it is none. In the journal that is known by what is wrong with it. */
function documentOf(value: unknown, index: number): [PipelineDocument, MillraceError | undefined] {
  if (isUnreadable(value))
    return [{ id: value.id, text: `${value.error.code} ${value.error.message}` }, value.error]
  const why = whyNoDocument(value)
  if (why === undefined) return [value as PipelineDocument, undefined]
  const { id } = (isRecord(value) ? value : {}) as { id?: unknown }
  return [{ id: isId(id) ? id : `${NAMELESS}${index}`, text: why }, new MillraceError('INPUT_INVALID', why)]
}

/** Chunks of each text; a text that cannot be read gives its error and leaves the others alone. */
async function chunkEach(
  chunker: TextChunker,
  texts: readonly string[],
): Promise<(TextChunk[] | MillraceError)[]> {
  if (texts.length === 0) return []
  try {
    return await chunker.chunkBatch(texts)
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    if (texts.length === 1) return [error]
    const each: (TextChunk[] | MillraceError)[] = []
    for (const text of texts) each.push(...(await chunkEach(chunker, [text])))
    return each
  }
}

function recordOf({ id, text, document }: Entry, chunk?: TextChunk, number = 0): PipelineRecord {
  return {
    id: chunk === undefined ? id : `${id}#${number}`,
    documentId: id,
    chunk: number,
    text: chunk?.text ?? text,
    start: chunk?.start ?? 0,
    end: chunk?.end ?? text.length,
    tokens: chunk?.tokens ?? 0,
    headings: chunk?.headings ?? [],
    metadata: document.metadata ?? {},
  }
}

function lengthOf(item: unknown): number {
  const { text } = (typeof item === 'object' && item !== null ? item : {}) as { text?: unknown }
  return typeof text === 'string' ? text.length : 0
}
