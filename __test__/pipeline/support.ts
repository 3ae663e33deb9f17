/** Sinks in memory that behave as the two kinds of store do when a process dies, and documents to write into them. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  DeadLetter,
  DeadLetterSink,
  JsonValue,
  PipelineDocument,
  PipelineRecord,
  RecordBatch,
  Sink,
  SinkContext,
} from '../../index.js'
import { denseRow, sparseRow } from '../../src/pipeline/record.js'
import { randomNumbers, words } from '../support/texts.mjs'

/** A record with its vectors, as values that `toEqual` compares. */
export interface Stored extends PipelineRecord {
  dense?: number[]
  scale?: number
  sparse?: [number, number][]
}

/** What outlives a process. */
export interface Store {
  records: Stored[]
}

/** A process that died: nothing it does has an effect any more. */
export class Crash extends Error {}

/** Called before and after each thing a sink does; throws where the process dies. */
export type Hook = (moment: string) => void | Promise<void>

interface MemoryOptions {
  hook?: Hook
  store?: Store
}

export function storedOf({ records, dense, sparse }: RecordBatch): Stored[] {
  return records.map((record, i) => {
    const row = sparse === undefined ? undefined : sparseRow(sparse, i)
    const scale = dense?.scales?.[i]
    return {
      ...record,
      ...(dense !== undefined && { dense: [...denseRow(dense, i)] }),
      ...(scale !== undefined && { scale }),
      ...(row !== undefined && {
        sparse: [...row.indices].map((index, j): [number, number] => [index, row.values[j] as number]),
      }),
    }
  })
}

abstract class MemorySink implements Sink {
  abstract readonly name: string
  readonly store: Store
  /** Batches as they came. */
  readonly batches: string[][] = []
  readonly calls: string[] = []
  context: SinkContext | undefined
  readonly #hook: Hook
  #dead = false

  constructor({ hook = () => {}, store = { records: [] } }: MemoryOptions = {}) {
    this.#hook = hook
    this.store = store
  }

  async open(context: SinkContext): Promise<void> {
    await this.step('open', () => {
      this.context = context
      this.restore(context.checkpoint)
    })
  }

  async write(batch: RecordBatch): Promise<void> {
    const ids = batch.records.map(({ id }) => id)
    await this.step('write', () => {
      const known = new Set(this.store.records.map(({ id }) => id))
      const twice = ids.find((id) => known.has(id))
      if (twice !== undefined) throw new Error(`The record ${twice} is there already`)
      this.store.records.push(...storedOf(batch))
      this.batches.push(ids)
    })
  }

  async commit(): Promise<JsonValue> {
    let checkpoint: JsonValue = null
    await this.step('commit', () => {
      checkpoint = this.checkpoint()
    })
    return checkpoint
  }

  async close(): Promise<void> {
    this.calls.push('close')
  }

  protected abstract restore(checkpoint: JsonValue | undefined): void
  protected abstract checkpoint(): JsonValue

  protected async step(moment: string, work: () => void): Promise<void> {
    if (this.#dead) throw new Crash('dead')
    this.calls.push(moment)
    try {
      await this.#hook(`before ${moment}`)
      work()
      await this.#hook(`after ${moment}`)
    } catch (error) {
      this.#dead = error instanceof Crash
      throw error
    }
  }
}

/** A database: what is written stays written, and single documents can go. */
export class TableSink extends MemorySink {
  readonly name = 'table'

  async remove(documentIds: readonly string[]): Promise<void> {
    await this.step('remove', () => {
      const gone = new Set(documentIds)
      this.store.records = this.store.records.filter(({ documentId }) => !gone.has(documentId))
    })
  }

  protected restore(): void {}

  protected checkpoint(): JsonValue {
    return null
  }
}

/** A file: it can only be added to, and goes back to where it was. */
export class LogSink extends MemorySink {
  readonly name = 'log'

  protected restore(checkpoint: JsonValue | undefined): void {
    this.store.records.length = typeof checkpoint === 'number' ? checkpoint : 0
  }

  protected checkpoint(): JsonValue {
    return this.store.records.length
  }
}

/** Dead letters in memory that go back to a checkpoint. */
export class MemoryLetters implements DeadLetterSink {
  readonly name = 'letters'
  readonly letters: DeadLetter[]
  closed = 0

  constructor(letters: DeadLetter[] = []) {
    this.letters = letters
  }

  async open(checkpoint: JsonValue | undefined): Promise<void> {
    this.letters.length = typeof checkpoint === 'number' ? checkpoint : 0
  }

  async write(letters: readonly DeadLetter[]): Promise<void> {
    this.letters.push(...letters)
  }

  async commit(): Promise<JsonValue> {
    return this.letters.length
  }

  async close(): Promise<void> {
    this.closed++
  }
}

/** Documents of some words each; each a text of its own. */
export function documents(
  count: number,
  { seed = 1, least = 5, most = 40 }: { seed?: number; least?: number; most?: number } = {},
): PipelineDocument[] {
  const random = randomNumbers(seed)
  return Array.from({ length: count }, (_, i) => ({
    id: `d${i}`,
    text: `Document ${i}. ${words(least + Math.floor(random() * (most - least + 1)), random)}.`,
    metadata: { number: i },
  }))
}

/** A directory that goes away at the end of the process. */
export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-pipeline-'))
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** The records by id, for stores whose order means nothing. */
export function byId({ records }: Store): Stored[] {
  return [...records].sort((a, b) => (a.id < b.id ? -1 : 1))
}
