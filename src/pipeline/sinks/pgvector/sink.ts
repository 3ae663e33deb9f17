/** PostgreSQL with pgvector: a table of records, replaced in transactions. Needs the package pg, or a client of it. Searching is in `search.ts`. */

import { MillraceError } from '../../../base/errors.js'
import { boolean, oneOf, parseOptions } from '../../../options/check.js'
import type { JsonValue } from '../../document.js'
import { withoutNul } from '../../metadata.js'
import type { RecordBatch } from '../../record.js'
import type { Sink, SinkContext, VectorSchema } from '../../sink.js'
import { checkpointOf, checkStore, newState, type StoreState } from '../shared/identity.js'
import { requireOne } from '../shared/place.js'
import { columnsOf, formatOf, type GivenColumn, rowsOf } from './columns.js'
import { Connection, requireExtension } from './connection.js'
import { namesOf, type PgNames, type PgVectorSinkOptions, pgPlaceChecks, placeOf } from './options.js'
import { checkTable, inspectTables, makeTables, writeState } from './tables.js'

/** Rows and characters of one statement: few round trips, and little to hold on either side. */
const ROWS_AT_ONCE = 256
const CHARACTERS_AT_ONCE = 4 * 1024 * 1024

/** Rows for each list of an ivfflat index, and where that stops growing so fast: pgvector's own advice. */
const ROWS_PER_LIST = 1000
const MANY_ROWS = 1_000_000

/**
 * Writes records into a table: `id` (primary key), `document_id` (indexed), `chunk`, `text`, `start_at`, `end_at`, `tokens`, `headings`
 * (text[]), `metadata` (jsonb), `embedding`: `vector`, of float16 `halfvec`, of bits `bit`; int8 and uint8 are written as the float32
 * vectors that they stand for. Sparse vectors are `sparsevec`, or, where dimensions are hashes (BM25, miniCOIL), the arrays
 * `sparse_indices` and `sparse_values`. A small table beside it, with `_facts` after its name, says which store it is.
 *
 * @example
 * pgVectorSink({ connectionString: process.env.DATABASE_URL, table: 'docs', index: 'hnsw' })
 */
export function pgVectorSink(options: PgVectorSinkOptions): Sink {
  const checked = parseOptions<PgVectorSinkOptions>('pgVectorSink', options, {
    ...pgPlaceChecks,
    index: oneOf('hnsw', 'ivfflat'),
    overwrite: boolean,
  })
  requireOne(checked, 'connectionString', 'client')
  return new PgVectorSink(checked)
}

class PgVectorSink implements Sink {
  readonly name = 'pgvector'
  readonly #options: PgVectorSinkOptions
  readonly #names: PgNames
  #connection: Connection | undefined
  #vectors: VectorSchema = {}
  #columns: readonly GivenColumn[] = []
  #signal: AbortSignal | undefined
  #inTransaction = false
  /** Of the open store: its last commit, with what has been written and removed since in `records`. */
  #state: StoreState = newState()

  constructor(options: PgVectorSinkOptions) {
    this.#options = options
    this.#names = namesOf(options)
  }

  async open(context: SinkContext): Promise<void> {
    const { schema, checkpoint, signal } = context
    const { overwrite = false } = this.#options
    const place = placeOf(this.#options)
    this.#columns = columnsOf(schema)
    this.#vectors = schema
    this.#signal = signal
    const connection = await Connection.open(this.#options, 'The sink pgvector', signal)
    this.#connection = connection
    await requireExtension(connection)
    const found = await inspectTables(connection, this.#names, place)
    checkStore(found, context, overwrite)
    const anew = checkpoint === undefined && overwrite
    if (!anew) await checkTable(connection, this.#names, place, this.#columns)
    // From here on things change, all or none of them.
    const state = checkpoint === undefined || found.state === undefined ? newState() : found.state
    this.#state = { revision: 0, ...state, records: anew ? 0 : found.records }
    await this.#begin()
    if (anew) await this.#query(`DROP TABLE IF EXISTS ${this.#names.table}, ${this.#names.facts}`)
    await makeTables(connection, this.#names, schema)
    await writeState(connection, this.#names, this.#state)
    await this.#commit()
  }

  async remove(documentIds: readonly string[]): Promise<void> {
    await this.#begin()
    const { rows } = await this.#query(
      `WITH removed AS (DELETE FROM ${this.#names.table} WHERE document_id = ANY ($1) RETURNING 1) SELECT count(*) AS removed FROM removed`,
      [documentIds.map(withoutNul)],
    )
    this.#state.records -= Number(rows[0]?.['removed'])
  }

  async write(batch: RecordBatch): Promise<void> {
    await this.#begin()
    const { records } = batch
    const rowOf = await rowsOf(batch, this.#vectors.sparse?.idf === true)
    let columns: unknown[][] = this.#columns.map(() => [])
    let characters = 0
    for (const [i, record] of records.entries()) {
      for (const [at, value] of rowOf(record, i).entries()) {
        columns[at]?.push(value)
        characters += typeof value === 'string' ? value.length : 8
      }
      const isFull = (columns[0]?.length ?? 0) >= ROWS_AT_ONCE || characters >= CHARACTERS_AT_ONCE
      if (!isFull && i + 1 < records.length) continue
      await this.#insert(columns)
      columns = this.#columns.map(() => [])
      characters = 0
    }
    this.#state.records += records.length
  }

  async commit(): Promise<JsonValue> {
    if (this.#inTransaction && this.#connection !== undefined) {
      this.#state.revision = (this.#state.revision ?? 0) + 1
      await writeState(this.#connection, this.#names, this.#state)
      await this.#commit()
    }
    return checkpointOf(this.#state)
  }

  async close(): Promise<void> {
    const connection = this.#connection
    if (connection === undefined) return
    const last = this.#inTransaction ? 'ROLLBACK' : undefined
    try {
      if (last === undefined && this.#signal?.aborted !== true) await this.#makeIndex()
    } finally {
      this.#connection = undefined
      this.#inTransaction = false
      await connection.end(last)
    }
  }

  /** A column at a time: a statement with a parameter a value would have too many. */
  async #insert(values: unknown[][]): Promise<void> {
    const names = this.#columns.map(({ name }) => name).join(', ')
    const given = this.#columns.map(({ given }, i) => `$${i + 1}::${given}[]`).join(', ')
    await this.#query(
      `INSERT INTO ${this.#names.table} (${names}) SELECT ${this.#columns.map(({ value }) => value).join(', ')}
       FROM unnest(${given}) AS given (${names})`,
      values,
    )
  }

  /** Building takes minutes for many records, so an abort breaks the connection; the next run builds the index. */
  async #makeIndex(): Promise<void> {
    const { index } = this.#options
    const { dense } = this.#vectors
    if (index === undefined || dense === undefined) return
    const sever = () => this.#connection?.sever()
    this.#signal?.addEventListener('abort', sever, { once: true })
    try {
      const { table, vectorIndex } = this.#names
      const options = index === 'ivfflat' ? `WITH (lists = ${listsFor(this.#state.records)})` : ''
      await this.#query(
        `CREATE INDEX IF NOT EXISTS ${vectorIndex(index)} ON ${table} USING ${index} (embedding ${formatOf(dense.dtype).operators}) ${options}`,
      )
    } finally {
      this.#signal?.removeEventListener('abort', sever)
    }
  }

  async #begin(): Promise<void> {
    if (this.#inTransaction) return
    // Before the answer: an abort closes the sink while it is awaited, and must take the transaction back all the same.
    this.#inTransaction = true
    try {
      await this.#query('BEGIN')
    } catch (error) {
      this.#inTransaction = false
      throw error
    }
  }

  async #commit(): Promise<void> {
    await this.#query('COMMIT')
    this.#inTransaction = false
  }

  #query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }> {
    if (this.#connection === undefined) throw new MillraceError('CLOSED', 'The sink pgvector is not open')
    return this.#connection.query(text, values)
  }
}

/** A list for a thousand rows, and of more than a million the square root: pgvector's own advice. */
function listsFor(records: number): number {
  return Math.max(1, Math.round(records <= MANY_ROWS ? records / ROWS_PER_LIST : Math.sqrt(records)))
}
