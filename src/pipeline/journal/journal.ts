/**
 * The file beside an output that says which documents are in it: what makes a run resumable, and the next one incremental.
 *
 * It is appended to, a line for each step: documents that are about to be written (`begin`), then, once the sink has made
 * them last, what became of them and the sink's checkpoint (`commit`). A process that dies in between leaves documents begun,
 * which the next run removes and writes again. How a line is written and checked is in `lines.ts`.
 */

import { type FileHandle, open, rm, stat } from 'node:fs/promises'
import { isMissing, moveInto, syncData, syncFile, writeWhole } from '../../base/durable.js'
import { MillraceError } from '../../base/errors.js'
import { isRecord } from '../../base/is.js'
import { type HeldLock, lockUnlessHeld } from '../../base/lock.js'
import type { JsonValue } from '../document.js'
import type { JournalSummary } from '../sink.js'
import { DocumentTable, Outcome } from './document-table.js'
import { lineOf, readLines } from './lines.js'

/** What decides which records a store gets, by name: a run whose parts differ is refused. */
export type Fingerprint = Readonly<Record<string, string>>

/** What became of a document. */
export interface Settled {
  id: string
  /** Name of its content. */
  content: string
  outcome: Outcome
}

/** Where sinks stand. */
export interface Checkpoints {
  sink?: JsonValue
  deadLetters?: JsonValue
}

/** Names ids, for the table. */
export type IdNamer = (ids: readonly string[]) => string[]

/** Changes when files of before can no longer be read. */
const FORMAT = 1

/** A smaller file is read in no time, however much of it is history. */
const COMPACT_FROM_BYTES = 1024 * 1024

/** Documents of a line of a compacted file. */
const LINE_DOCUMENTS = 500

/** `[id, content, outcome]`: as a document is settled in the file. */
type SettledLine = [id: string, content: string, outcome: Outcome]

interface Line {
  /** Documents begun. */
  b?: string[]
  /** Documents settled. */
  c?: SettledLine[]
  /** Checkpoint of the sink, and of the dead letters. */
  s?: JsonValue
  d?: JsonValue
}

/** An open journal. One process at a time has it. */
export class Journal {
  readonly table = new DocumentTable()
  readonly #path: string
  readonly #nameIds: IdNamer
  readonly #lock: HeldLock
  readonly #fingerprint: Fingerprint
  #file: FileHandle | undefined
  /** Nothing is in the file but its header: no store is its own yet. */
  #isBlank = true
  #checkpoints: Checkpoints = {}
  /** Settled and begun documents in the file, those that a later line replaces included. */
  #entries = 0
  #unsynced = false

  private constructor(path: string, fingerprint: Fingerprint, nameIds: IdNamer, lock: HeldLock) {
    this.#path = path
    this.#fingerprint = fingerprint
    this.#nameIds = nameIds
    this.#lock = lock
  }

  /**
   * Opens or makes the journal. One that says nothing yet is made anew: a run that was refused must not decide with which options the next one comes.
   *
   * @throws MillraceError JOURNAL_MISMATCH where it was made with another fingerprint, JOURNAL_INVALID where it is damaged, of
   * another kind, or in use by another process; or the system's error.
   */
  static async open(
    path: string,
    fingerprint: Fingerprint,
    nameIds: IdNamer,
    signal?: AbortSignal,
  ): Promise<Journal> {
    const lock = await lockUnlessHeld(`${path}.lock`, signal)
    if (lock === undefined) {
      throw new MillraceError('JOURNAL_INVALID', `The journal ${path} is in use by another pipeline`)
    }
    const journal = new Journal(path, fingerprint, nameIds, lock)
    try {
      await journal.#load()
      return journal
    } catch (error) {
      await journal.close()
      throw error
    }
  }

  get path(): string {
    return this.#path
  }

  /** Aborts when another process has taken the journal over. */
  get lost(): AbortSignal {
    return this.#lock.lost
  }

  /** Where the sinks stood at the last commit. */
  get checkpoints(): Checkpoints {
    return this.#checkpoints
  }

  /** What it says of the store, for the sink. */
  get summary(): JournalSummary {
    return { written: this.table.count(Outcome.written), begun: this.table.count(Outcome.begun) }
  }

  /** Notes that something of these documents may be in the store from now on. */
  async begin(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    await this.#append({ b: [...ids] }, true)
    for (const name of this.#nameIds(ids)) this.table.set(name, Outcome.begun)
  }

  /**
   * Notes what became of documents, and where the sinks stand now. With `sync` it is on the disk when this resolves; without, the
   * next `begin` or `close` brings it there: a machine that dies before that does one batch again.
   */
  async commit(settled: readonly Settled[], checkpoints: Checkpoints, sync = true): Promise<void> {
    const { sink, deadLetters } = checkpoints
    const line: Line = {
      c: settled.map(({ id, content, outcome }) => [id, content, outcome]),
      ...(sink !== undefined && { s: sink }),
      ...(deadLetters !== undefined && { d: deadLetters }),
    }
    await this.#append(line, sync)
    this.#checkpoints = { ...this.#checkpoints, ...checkpoints }
    const names = this.#nameIds(settled.map(({ id }) => id))
    for (const [i, { outcome, content }] of settled.entries())
      this.table.set(names[i] ?? '', outcome, content)
  }

  /** Ids of documents that the store may hold and that this run did not see, read from the file again, some at a time. */
  async *unseen(): AsyncGenerator<string[], void, undefined> {
    for await (const { value } of readLines(this.#path)) {
      const { b = [], c = [] } = value as Line
      const ids = [...b, ...c.map(([id]) => id)]
      const names = this.#nameIds(ids)
      const left = ids.filter((_, i) => {
        const name = names[i] ?? ''
        const known = this.table.get(name)
        if (known === undefined || known.outcome === Outcome.none) return false
        return this.table.see(name)
      })
      if (left.length > 0) yield left
    }
  }

  /** Removes the file of a run that was refused before anything was written; one that says something stays. */
  async discard(): Promise<void> {
    if (this.#isBlank) await rm(this.#path, { force: true })
  }

  /** Frees the file and lets others have it. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    try {
      if (this.#unsynced && file !== undefined) await syncData(file)
    } finally {
      await file?.close()
      await this.#lock.release()
    }
  }

  async #load(): Promise<void> {
    const size = await sizeOf(this.#path)
    if (size > 0) {
      const end = await this.#read()
      // A journal is made with its first line: this is a file of somebody else's.
      if (end === 0) throw noJournal(this.#path)
      if (size > COMPACT_FROM_BYTES && this.#entries > 2 * this.table.size) await this.#compact()
      else if (size > end) await cut(this.#path, end)
    }
    if (this.#isBlank) await writeWhole(this.#path, this.#header())
    this.#file = await open(this.#path, 'a')
  }

  /** Reads the file into the table; returns where its intact part ends. */
  async #read(): Promise<number> {
    let end = 0
    let changed: string[] = []
    for await (const { value, end: to } of readLines(this.#path)) {
      if (end === 0) {
        changed = this.#changesSince(value)
      } else {
        this.#isBlank = false
        if (changed.length > 0) throw mismatch(this.#path, changed)
        this.#apply(value as Line)
      }
      end = to
    }
    return end
  }

  #apply({ b = [], c = [], s, d }: Line): void {
    for (const name of this.#nameIds(b)) this.table.set(name, Outcome.begun)
    const names = this.#nameIds(c.map(([id]) => id))
    for (const [i, [, content, outcome]] of c.entries()) this.table.set(names[i] ?? '', outcome, content)
    if (s !== undefined) this.#checkpoints.sink = s
    if (d !== undefined) this.#checkpoints.deadLetters = d
    this.#entries += b.length + c.length
  }

  /** Names of what the fingerprint in the header has otherwise. */
  #changesSince(header: unknown): string[] {
    const { millrace, fingerprint: before } = isRecord(header) ? header : {}
    if (millrace !== FORMAT || !isRecord(before)) throw noJournal(this.#path)
    const now = this.#fingerprint
    const names = new Set([...Object.keys(before), ...Object.keys(now)])
    return [...names].filter((name) => before[name] !== now[name])
  }

  /** Writes the file anew without what later lines replace. */
  async #compact(): Promise<void> {
    const temporary = `${this.#path}.new`
    try {
      const file = await open(temporary, 'w')
      try {
        await file.appendFile(this.#header())
        for await (const { b, c } of this.#current()) {
          await file.appendFile(lineOf({ ...(b.length > 0 && { b }), ...(c.length > 0 && { c }) }))
        }
        const { sink, deadLetters } = this.#checkpoints
        const s = sink !== undefined && { s: sink }
        await file.appendFile(lineOf({ ...s, ...(deadLetters !== undefined && { d: deadLetters }) }))
        await syncFile(file)
      } finally {
        await file.close()
      }
      await moveInto(temporary, this.#path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
    this.table.forgetSeen()
  }

  async *#current(): AsyncGenerator<{ b: string[]; c: SettledLine[] }, void, undefined> {
    let [b, c]: [string[], SettledLine[]] = [[], []]
    for await (const { value } of readLines(this.#path)) {
      const line = value as Line
      const begun = line.b ?? []
      for (const [i, name] of this.#nameIds(begun).entries()) {
        const isCurrent = this.table.get(name)?.outcome === Outcome.begun
        if (isCurrent && this.table.see(name)) b.push(begun[i] ?? '')
      }
      const settled = line.c ?? []
      for (const [i, name] of this.#nameIds(settled.map(([id]) => id)).entries()) {
        const entry = settled[i] as SettledLine
        const known = this.table.get(name)
        const isCurrent =
          known?.outcome === entry[2] && known.content === entry[1] && entry[2] !== Outcome.none
        if (isCurrent && this.table.see(name)) c.push(entry)
      }
      if (b.length + c.length < LINE_DOCUMENTS) continue
      yield { b, c }
      ;[b, c] = [[], []]
    }
    if (b.length + c.length > 0) yield { b, c }
  }

  async #append(line: Line, sync: boolean): Promise<void> {
    if (this.#file === undefined) throw new MillraceError('INTERNAL', 'The journal is closed')
    if (this.lost.aborted) throw takenOver(this.#path)
    this.#unsynced = true
    this.#isBlank = false
    await this.#file.appendFile(lineOf(line))
    if (!sync) return
    await syncData(this.#file)
    this.#unsynced = false
  }

  #header(): string {
    return lineOf({ millrace: FORMAT, fingerprint: this.#fingerprint })
  }
}

/** Two pipelines on one store would write each other's documents. */
export function takenOver(path: string): MillraceError {
  return new MillraceError('JOURNAL_INVALID', `Another pipeline has taken the journal ${path} over`)
}

function mismatch(path: string, changed: readonly string[]): MillraceError {
  return new MillraceError(
    'JOURNAL_MISMATCH',
    `The store of ${path} was made otherwise (${changed.join(', ')}): ` +
      'index into a new store, or delete this one with its journal',
  )
}

function noJournal(path: string): MillraceError {
  return new MillraceError('JOURNAL_INVALID', `${path} is no journal of this version`)
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    (error: unknown) => {
      if (isMissing(error)) return 0
      throw error
    },
  )
}

async function cut(path: string, length: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.truncate(length)
  } finally {
    await file.close()
  }
}
