/**
 * A folder of Parquet files, which pyarrow, DuckDB, Polars and others read as one table. Needs the package hyparquet-writer. Records can
 * only be added: each batch of a pipeline is a file.
 */

import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { syncDirectory } from '../../base/durable.js'
import { MillraceError } from '../../base/errors.js'
import { packageRoot } from '../../binding/package-root.js'
import { boolean, nonEmptyString, parseOptions } from '../../options/check.js'
import { importPeer } from '../../peers/peer.js'
import { dequantize } from '../../quantize/quantize.js'
import type { JsonValue } from '../document.js'
import type { PipelineRecord, RecordBatch } from '../record.js'
import type { Sink, SinkContext, VectorSchema } from '../sink.js'
import type { ParquetAnswer, ParquetTask } from './parquet-worker.cjs'

/** Options of {@link parquetSink}. */
export interface ParquetSinkOptions {
  /** Whether Parquet files that are there, and that no journal knows, are removed; else they are refused. @default false */
  overwrite?: boolean | undefined
}

const PART = /^part-(\d{6,})\.parquet$/

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
  #tasks = 0

  constructor(directory: string, overwrite: boolean) {
    this.#directory = directory
    this.#overwrite = overwrite
    // Readers of such folders leave out names with an underscore.
    this.journalPath = join(directory, '_millrace.journal')
  }

  async open({ schema, checkpoint }: SinkContext): Promise<void> {
    await importPeer('hyparquet-writer', WRITER, USER)
    this.#schema = schema
    this.#parts = (checkpoint as { parts: number } | undefined)?.parts ?? 0
    await mkdir(this.#directory, { recursive: true })
    const names = await readdir(this.#directory)
    const numbers = names.map((name) => Number(PART.exec(name)?.[1] ?? -1)).filter((number) => number >= 0)
    if (checkpoint === undefined && numbers.length > 0 && !this.#overwrite) {
      throw new MillraceError(
        'SINK_FAILED',
        `${this.#directory} has Parquet files, and no journal says which: choose another folder, or overwrite: true`,
      )
    }
    for (let part = 0; part < this.#parts; part++) {
      if (numbers.includes(part)) continue
      throw new MillraceError('SINK_FAILED', `${this.#path(part)} is gone, but its journal is there`)
    }
    const later = numbers.filter((number) => number >= this.#parts).map((number) => this.#path(number))
    const halves = names
      .filter((name) => /^part-\d+\.parquet\.tmp$/.test(name))
      .map((name) => join(this.#directory, name))
    for (const path of [...later, ...halves]) await rm(path, { force: true })
    this.#worker = new Worker(
      join(packageRoot(), 'dist', 'esm', 'src', 'pipeline', 'sinks', 'parquet-worker.cjs'),
    )
    this.#worker.unref()
  }

  async write(batch: RecordBatch): Promise<void> {
    if (batch.records.length === 0) return
    const columns = await columnsOf(batch)
    await this.#run({ path: this.#path(this.#parts), columns, ...describe(this.#schema) })
    this.#parts++
  }

  async commit(): Promise<JsonValue> {
    await syncDirectory(this.#directory)
    return { parts: this.#parts }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = undefined
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
    if ((dtype === 'int8' || dtype === 'uint8') && ranges === undefined) {
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
