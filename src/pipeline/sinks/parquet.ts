/**
 * A folder of Parquet files, which pyarrow, DuckDB, Polars and others read as one table. Needs the package hyparquet-writer. Records can
 * only be added: each batch of a pipeline is a file.
 */

import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { isMissing, syncDirectory } from '../../base/durable.js'
import { MillraceError } from '../../base/errors.js'
import { packageRoot } from '../../binding/package-root.js'
import { isLeveled } from '../../formats/dtype.js'
import { boolean, nonEmptyString, parseOptions } from '../../options/check.js'
import { importPeer } from '../../peers/peer.js'
import { dequantize } from '../../quantize/quantize.js'
import type { JsonValue } from '../document.js'
import type { PipelineRecord, RecordBatch } from '../record.js'
import { hasChanged, holdsUnknown, isGone } from '../refusal.js'
import type { Sink, SinkContext, VectorSchema } from '../sink.js'
import type { ParquetAnswer, ParquetTask } from './parquet-worker.cjs'
import { workerBeside } from './parquet-worker-path.cjs'

/** Options of {@link parquetSink}. */
export interface ParquetSinkOptions {
  /** Whether Parquet files that are there, and that no journal knows, are removed; else they are refused. @default false */
  overwrite?: boolean | undefined
}

const PART = /^part-(\d{6,})\.parquet$/

/** Where the files stood at a commit. */
interface ParquetCheckpoint {
  parts: number
  /** Of all parts together; absent in checkpoints of earlier versions. */
  bytes?: number
}

const WRITER = '^0.17.0'
const USER = 'The sink parquet'

/** Levels and bits as Parquet names small integers. */
const LEVELS = { int8: 'INT_8', uint8: 'UINT_8', binary: 'INT_8', ubinary: 'UINT_8' } as const

/**
 * Writes `part-000000.parquet` and so on into a folder. Columns: `id`, `document_id`, `chunk`, `text`, `start`, `end`, `tokens`,
 * `headings` and `metadata` (JSON), `vector` (a list; float16 as float32, bits as bytes of eight), `scale` of int8 and uint8,
 * `sparse_indices` and `sparse_values`. Larger `batchRecords` of the pipeline make fewer and larger files. Documents that change
 * cannot be replaced.
 *
 * @example
 * EmbeddingPipeline.create({ sink: parquetSink('./vectors'), batchRecords: 10_000 }) // pyarrow.dataset.dataset('./vectors')
 */
export function parquetSink(directory: string, options?: ParquetSinkOptions): Sink {
  const { overwrite = false } = parseOptions<ParquetSinkOptions>('parquetSink', options, {
    overwrite: boolean,
  })
  return new ParquetSink(nonEmptyString('directory', directory), overwrite)
}

class ParquetSink implements Sink {
  readonly name = 'parquet'
  readonly journalPath: string
  readonly #directory: string
  readonly #overwrite: boolean
  #worker: Worker | undefined
  #schema: VectorSchema = {}
  #parts = 0
  /** Of all parts together. */
  #bytes = 0
  #tasks = 0

  constructor(directory: string, overwrite: boolean) {
    this.#directory = directory
    this.#overwrite = overwrite
    this.journalPath = journalBeside(directory)
  }

  async open({ schema, checkpoint }: SinkContext): Promise<void> {
    await importPeer('hyparquet-writer', WRITER, USER)
    this.#schema = schema
    const at = checkpoint as unknown as ParquetCheckpoint | undefined
    const names = await namesIn(this.#directory)
    const numbers = names.map((name) => Number(PART.exec(name)?.[1] ?? -1)).filter((number) => number >= 0)
    if (at === undefined && numbers.length > 0 && !this.#overwrite) throw holdsUnknown(this.#directory)
    this.#parts = at?.parts ?? 0
    this.#bytes = await this.#measure(this.#parts)
    if (at?.bytes !== undefined && at.bytes !== this.#bytes) {
      throw hasChanged(
        this.#directory,
        `its files have ${this.#bytes} bytes, and the last run left ${at.bytes}`,
      )
    }
    // From here on things change.
    await mkdir(this.#directory, { recursive: true })
    const later = numbers.filter((number) => number >= this.#parts).map((number) => this.#path(number))
    const halves = names
      .filter((name) => /^part-\d+\.parquet\.tmp$/.test(name))
      .map((name) => join(this.#directory, name))
    for (const path of [...later, ...halves]) await rm(path, { force: true })
    this.#worker = new Worker(workerPath())
    this.#worker.unref()
  }

  async write(batch: RecordBatch): Promise<void> {
    if (batch.records.length === 0) return
    const columns = await columnsOf(batch)
    const path = this.#path(this.#parts)
    await this.#run({ path, columns, ...describe(this.#schema) })
    this.#parts++
    this.#bytes += (await stat(path)).size
  }

  async commit(): Promise<JsonValue> {
    await syncDirectory(this.#directory)
    return { parts: this.#parts, bytes: this.#bytes }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = undefined
  }

  /** Bytes of the first parts together. */
  async #measure(parts: number): Promise<number> {
    let bytes = 0
    for (let part = 0; part < parts; part++) {
      const path = this.#path(part)
      try {
        bytes += (await stat(path)).size
      } catch (error) {
        throw isMissing(error) ? isGone(path) : error
      }
    }
    return bytes
  }

  #path(part: number): string {
    return join(this.#directory, `part-${String(part).padStart(6, '0')}.parquet`)
  }

  #run(task: Omit<ParquetTask, 'number'>): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) throw new MillraceError('CLOSED', 'The sink parquet is not open')
    const number = this.#tasks++
    return new Promise<void>((resolve, reject) => {
      const end = (error?: Error) => {
        worker.off('message', onMessage).off('error', end).off('exit', onExit).unref()
        if (error === undefined) resolve()
        else reject(error)
      }
      const onExit = () => end(new MillraceError('SINK_FAILED', 'The thread of the sink parquet ended'))
      const onMessage = ({ problem }: ParquetAnswer) =>
        end(
          problem &&
            new MillraceError(problem.missing ? 'PACKAGE_NOT_FOUND' : 'SINK_FAILED', problem.message),
        )
      worker.on('message', onMessage).on('error', end).on('exit', onExit).ref()
      worker.postMessage({ ...task, number } satisfies ParquetTask)
    })
  }
}

/** Beside this file; from the sources, as tests run them, that of the build. */
function workerPath(): string {
  return workerBeside() ?? join(packageRoot(), 'dist/esm/src/pipeline/sinks/parquet-worker.cjs')
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** Beside the folder and not in it: Polars takes every file of a folder for Parquet. Earlier versions put it inside; there it stays. */
function journalBeside(directory: string): string {
  const inside = join(directory, '_millrace.journal')
  return existsSync(inside) ? inside : `${resolve(directory)}.journal`
}

const text = (name: string) => ({
  name,
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  repetition_type: 'REQUIRED',
})
const int = (name: string) => ({ name, type: 'INT32', repetition_type: 'REQUIRED' })
const list = (name: string, element: object) => [
  { name, repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', repetition_type: 'REQUIRED', ...element },
]

/** The schema of every file and what it says of the vectors. */
function describe({ dense, sparse }: VectorSchema): Pick<ParquetTask, 'schema' | 'metadata'> {
  const columns: object[][] = [
    [text('id')],
    [text('document_id')],
    [int('chunk')],
    [text('text')],
    [int('start')],
    [int('end')],
    [int('tokens')],
    [text('headings')],
    [text('metadata')],
  ]
  const metadata: ParquetTask['metadata'] = []
  if (dense !== undefined) {
    const { dtype, dim, model, ranges } = dense
    const element =
      dtype === 'float32' || dtype === 'float16'
        ? { type: 'FLOAT' }
        : { type: 'INT32', converted_type: LEVELS[dtype] }
    columns.push(list('vector', element))
    if (isLeveled(dtype) && ranges === undefined) {
      columns.push([{ name: 'scale', type: 'FLOAT', repetition_type: 'REQUIRED' }])
    }
    metadata.push(
      { key: 'millrace.model', value: model },
      { key: 'millrace.dtype', value: dtype },
      { key: 'millrace.dim', value: String(dim) },
    )
  }
  if (sparse !== undefined) {
    columns.push(list('sparse_indices', { type: 'INT32', converted_type: 'UINT_32' }))
    columns.push(list('sparse_values', { type: 'FLOAT' }))
    metadata.push({ key: 'millrace.sparse_model', value: sparse.model })
  }
  return { schema: [{ name: 'root', num_children: columns.length }, ...columns.flat()], metadata }
}

async function columnsOf({ records, dense, sparse }: RecordBatch): Promise<ParquetTask['columns']> {
  const texts = (name: string, of: (record: PipelineRecord) => string) => ({ name, data: records.map(of) })
  const ints = (name: 'chunk' | 'start' | 'end' | 'tokens') => ({
    name,
    data: Int32Array.from(records, (record) => record[name]),
  })
  const columns: ParquetTask['columns'] = [
    texts('id', ({ id }) => id),
    texts('document_id', ({ documentId }) => documentId),
    ints('chunk'),
    texts('text', (record) => record.text),
    ints('start'),
    ints('end'),
    ints('tokens'),
    texts('headings', ({ headings }) => JSON.stringify(headings)),
    texts('metadata', ({ metadata }) => JSON.stringify(metadata)),
  ]
  if (dense !== undefined) {
    const data = dense.dtype === 'float16' ? await dequantize(dense, dense.dim) : dense.data
    columns.push({ name: 'vector', data, width: dense.width })
    if (dense.scales !== undefined) columns.push({ name: 'scale', data: dense.scales })
  }
  if (sparse !== undefined) {
    const { indices, values, rowOffsets } = sparse
    // The same bits, signed: the writer has no unsigned integers.
    columns.push({ name: 'sparse_indices', data: Int32Array.from(indices), rowOffsets })
    columns.push({ name: 'sparse_values', data: values, rowOffsets })
  }
  return columns
}
