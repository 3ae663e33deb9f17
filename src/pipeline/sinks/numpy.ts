/**
 * Files that NumPy and SciPy read: a matrix of dense vectors, the parts of a CSR matrix of sparse ones, and JSON lines that say which
 * record a row is. They can only be added to; at every commit they are whole.
 */

import { nextTurn } from '../../base/turn.js'
import { isLeveled, rowElements } from '../../formats/dtype.js'
import { boolean, nonEmptyString, parseOptions } from '../../options/check.js'
import type { JsonValue } from '../document.js'
import type { RecordBatch } from '../record.js'
import type { Sink, SinkContext, VectorSchema } from '../sink.js'
import { AppendFile, type CheckedFile } from './append-file.js'
import { NPY_DESCR, NPY_HEADER_BYTES, type NpyDescr, npyHeader } from './npy.js'

/** Options of {@link numpySink}. */
export interface NumpySinkOptions {
  /** Whether files that are there, and that no journal knows, are begun anew; else they are refused. @default false */
  overwrite?: boolean | undefined
}

/** The files, by what follows the name. */
type Part = 'npy' | 'scales.npy' | 'indptr.npy' | 'indices.npy' | 'data.npy' | 'records.jsonl'

interface Column {
  descr: NpyDescr
  /** Values of a row; absent where the array has one dimension. */
  width?: number
}

/** Where the files stood at a commit, by what follows their name. */
interface NumpyCheckpoint {
  rows: number
  values: number
  bytes: Record<string, number>
  /** Absent in checkpoints of earlier versions. */
  tails?: Record<string, number>
}

/** Records whose lines are made in one turn of the event loop. */
const LINES_AT_ONCE = 256

/**
 * Writes `docs.npy` (dense vectors, a row a record), `docs.scales.npy` (of int8 and uint8), `docs.indptr.npy`, `docs.indices.npy` and
 * `docs.data.npy` (sparse vectors, as SciPy's csr_matrix takes them), and `docs.records.jsonl`, whose line `i` is the record of row `i`.
 * Documents that change cannot be replaced.
 *
 * @example
 * numpySink('docs.npy') // numpy.load('docs.npy', mmap_mode='r')
 */
export function numpySink(path: string, options?: NumpySinkOptions): Sink {
  const { overwrite = false } = parseOptions<NumpySinkOptions>('numpySink', options, { overwrite: boolean })
  return new NumpySink(nonEmptyString('path', path).replace(/\.npy$/i, ''), overwrite)
}

class NumpySink implements Sink {
  readonly name = 'numpy'
  readonly journalPath: string
  readonly #base: string
  readonly #overwrite: boolean
  readonly #files = new Map<Part, AppendFile>()
  #columns = new Map<Part, Column>()
  #rows = 0
  #values = 0

  constructor(base: string, overwrite: boolean) {
    this.#base = base
    this.#overwrite = overwrite
    this.journalPath = `${base}.npy.journal`
  }

  async open({ schema, checkpoint }: SinkContext): Promise<void> {
    this.#columns = columnsOf(schema)
    const at = checkpoint as unknown as NumpyCheckpoint | undefined
    this.#rows = at?.rows ?? 0
    this.#values = at?.values ?? 0
    const parts: Part[] = [...this.#columns.keys(), 'records.jsonl']
    // All are looked at before the first is touched: one that is refused leaves the others as they are.
    const checked = await Promise.all(parts.map((part) => this.#check(part, at)))
    for (const [i, part] of parts.entries()) {
      const file = await (checked[i] as CheckedFile).begin()
      this.#files.set(part, file)
      if (at !== undefined) continue
      if (part !== 'records.jsonl') await file.append(Buffer.alloc(NPY_HEADER_BYTES))
      if (part === 'indptr.npy') await file.append(new Uint8Array(BigInt64Array.of(0n).buffer))
    }
    // The headers may count rows that were written after the checkpoint.
    if (at !== undefined) await this.commit()
  }

  async write({ records, dense, sparse }: RecordBatch): Promise<void> {
    for (let from = 0; from < records.length; from += LINES_AT_ONCE) {
      const some = records.slice(from, from + LINES_AT_ONCE)
      await this.#append(
        'records.jsonl',
        Buffer.from(some.map((record) => `${JSON.stringify(record)}\n`).join('')),
      )
      await nextTurn()
    }
    if (dense !== undefined) {
      await this.#append('npy', dense.data)
      if (dense.scales !== undefined) await this.#append('scales.npy', dense.scales)
    }
    if (sparse !== undefined) {
      const { indices, values, rowOffsets } = sparse
      const before = this.#values
      const ends = BigInt64Array.from(rowOffsets.subarray(1), (end) => BigInt(before + end))
      await this.#append('indptr.npy', ends)
      await this.#append('indices.npy', BigInt64Array.from(indices, BigInt))
      await this.#append('data.npy', values)
      this.#values += values.length
    }
    this.#rows += records.length
  }

  async commit(): Promise<JsonValue> {
    const bytes: Record<string, number> = {}
    const tails: Record<string, number> = {}
    for (const [part, file] of this.#files) {
      const column = this.#columns.get(part)
      if (column !== undefined) await file.rewrite(npyHeader(column.descr, this.#shapeOf(part, column)), 0)
      const { bytes: length, tail } = await file.sync()
      bytes[part] = length
      if (tail !== undefined) tails[part] = tail
    }
    return { rows: this.#rows, values: this.#values, bytes, tails }
  }

  async close(): Promise<void> {
    const files = [...this.#files.values()]
    this.#files.clear()
    await Promise.all(files.map((file) => file.close()))
  }

  #check(part: Part, at: NumpyCheckpoint | undefined): Promise<CheckedFile> {
    const tail = at?.tails?.[part]
    const checkpoint = at && { bytes: at.bytes[part] ?? 0, ...(tail !== undefined && { tail }) }
    const header = part === 'records.jsonl' ? 0 : NPY_HEADER_BYTES
    return AppendFile.check(`${this.#base}.${part}`, checkpoint, { overwrite: this.#overwrite, header })
  }

  #shapeOf(part: Part, { width }: Column): number[] {
    if (part === 'indptr.npy') return [this.#rows + 1]
    if (part === 'indices.npy' || part === 'data.npy') return [this.#values]
    return width === undefined ? [this.#rows] : [this.#rows, width]
  }

  async #append(part: Part, { buffer, byteOffset, byteLength }: ArrayBufferView): Promise<void> {
    await this.#files.get(part)?.append(new Uint8Array(buffer, byteOffset, byteLength))
  }
}

function columnsOf({ dense, sparse }: VectorSchema): Map<Part, Column> {
  const columns = new Map<Part, Column>()
  if (dense !== undefined) {
    const { dtype, dim, ranges } = dense
    columns.set('npy', { descr: NPY_DESCR[dtype], width: rowElements(dtype, dim) })
    if (isLeveled(dtype) && ranges === undefined) columns.set('scales.npy', { descr: '<f4' })
  }
  if (sparse !== undefined) {
    columns.set('indptr.npy', { descr: '<i8' })
    // SciPy wants both of one type, and words' hashes go beyond 31 bits.
    columns.set('indices.npy', { descr: '<i8' })
    columns.set('data.npy', { descr: '<f4' })
  }
  return columns
}
