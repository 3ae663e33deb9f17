/** PostgreSQL with pgvector: a table of records, replaced in transactions, searched by SQL. Needs the package pg, or a client of it. */

import { invalidOption, MillraceError } from '../../base/errors.js'
import { isRecord } from '../../base/is.js'
import { boolean, type Check, nonEmptyString, oneOf, parseOptions } from '../../options/check.js'
import { importPeer } from '../../peers/peer.js'
import { dequantize } from '../../quantize/quantize.js'
import type { JsonValue } from '../document.js'
import { type DenseColumn, denseRow, type RecordBatch, sparseRow } from '../record.js'
import type { SearchableStore, Sink, SinkContext, StoreHit, VectorSchema } from '../sink.js'

/** A client of pg, connected. */
export interface PgClient {
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
}

/** Where the database is: one of the two. */
export interface PgOptions {
  /** As `postgres://user@host:5432/database`. */
  connectionString?: string | undefined
  /** A client of pg that is connected and that nobody else uses meanwhile; it is not ended. A pool will not do: it has no transactions. */
  client?: PgClient | undefined
  /** @default 'documents' */
  table?: string | undefined
  /** @default the connection's first */
  schema?: string | undefined
}

/** Options of {@link pgVectorSink}. */
export interface PgVectorSinkOptions extends PgOptions {
  /** Index that is made at the end of the first run, over cosine distance (bits: Hamming). @default none, so searches are exact */
  index?: 'hnsw' | 'ivfflat' | undefined
  /** Whether a table that is there, and that no journal knows, is dropped; else it must be empty. @default false */
  overwrite?: boolean | undefined
}

/** Rows and characters of one statement: few round trips, and little to hold on either side. */
const ROWS_AT_ONCE = 256
const CHARACTERS_AT_ONCE = 4 * 1024 * 1024

/** Dimensions of a `sparsevec`, whose indices are below; pgvector's own limit. */
const SPARSE_DIMENSIONS = 1_000_000_000

const USER = 'The sink pgvector'

const client: Check<PgClient> = (name, value) => {
  if (!isRecord(value) || typeof value['query'] !== 'function')
    throw invalidOption(name, 'client of pg', value)
  return value as unknown as PgClient
}

const placeChecks = {
  connectionString: nonEmptyString,
  client,
  table: nonEmptyString,
  schema: nonEmptyString,
} as const

/**
 * Writes records into a table: `id` (primary key), `document_id` (indexed), `chunk`, `text`, `start_at`, `end_at`, `tokens`, `headings`
 * (text[]), `metadata` (jsonb), `embedding`: `vector`, of float16 `halfvec`, of bits `bit`; int8 and uint8 are written as the float32
 * vectors that they stand for. Sparse vectors are `sparsevec`, or, where dimensions are hashes (BM25, miniCOIL), the arrays
 * `sparse_indices` and `sparse_values`.
 *
 * @example
 * pgVectorSink({ connectionString: process.env.DATABASE_URL, table: 'docs', index: 'hnsw' })
 */
export function pgVectorSink(options: PgVectorSinkOptions): Sink {
  const checked = parseOptions<PgVectorSinkOptions>('pgVectorSink', options, {
    ...placeChecks,
    index: oneOf('hnsw', 'ivfflat'),
    overwrite: boolean,
  })
  checkPlace(checked)
  return new PgVectorSink(checked)
}

class PgVectorSink implements Sink {
  readonly name = 'pgvector'
  readonly #options: PgVectorSinkOptions
  readonly #table: string
  #connection: Connection | undefined
  #vectors: VectorSchema = {}
  #inTransaction = false

  constructor(options: PgVectorSinkOptions) {
    this.#options = options
    this.#table = tableName(options)
  }

  async open({ schema, checkpoint }: SinkContext): Promise<void> {
    const columns = vectorColumns(schema)
    this.#vectors = schema
    this.#connection = await connect(this.#options, USER)
    const { overwrite = false } = this.#options
    await needExtension(this.#connection.client)
    if (checkpoint === undefined && overwrite) await this.#query(`DROP TABLE IF EXISTS ${this.#table}`)
    await this.#query(`CREATE TABLE IF NOT EXISTS ${this.#table} (
      id text PRIMARY KEY, document_id text NOT NULL, chunk integer NOT NULL, text text NOT NULL, start_at integer NOT NULL,
      end_at integer NOT NULL, tokens integer NOT NULL, headings text[] NOT NULL, metadata jsonb NOT NULL
      ${columns.map(({ name, type }) => `, ${name} ${type} NOT NULL`).join('')})`)
    const index = quote(`${this.#options.table ?? 'documents'}_by_document`)
    await this.#query(`CREATE INDEX IF NOT EXISTS ${index} ON ${this.#table} (document_id)`)
    if (schema.dense !== undefined) {
      const { model, dim, dtype } = schema.dense
      const facts = JSON.stringify({ model, dim, dtype }).replaceAll("'", "''")
      await this.#query(`COMMENT ON COLUMN ${this.#table}.embedding IS '${facts}'`)
    }
    if (checkpoint !== undefined) return
    const { rows } = await this.#query(`SELECT EXISTS (SELECT FROM ${this.#table}) AS found`)
    if (rows[0]?.['found'] === true) {
      throw new MillraceError(
        'SINK_FAILED',
        `The table ${this.#table} has rows, and no journal says which: choose another, or overwrite: true`,
      )
    }
  }

  async remove(documentIds: readonly string[]): Promise<void> {
    await this.#begin()
    await this.#query(`DELETE FROM ${this.#table} WHERE document_id = ANY ($1)`, [documentIds.map(clean)])
  }

  async write({ records, dense, sparse }: RecordBatch): Promise<void> {
    await this.#begin()
    const columns = vectorColumns(this.#vectors)
    const embedding = dense === undefined ? undefined : await literals(dense)
    const hashed = this.#vectors.sparse?.idf === true
    let values = emptyColumns(columns.length)
    let characters = 0
    for (const [i, record] of records.entries()) {
      const row: unknown[] = [
        clean(record.id),
        clean(record.documentId),
        record.chunk,
        clean(record.text),
        record.start,
        record.end,
        record.tokens,
        JSON.stringify(record.headings.map(clean)),
        clean(JSON.stringify(record.metadata)),
      ]
      if (embedding !== undefined) row.push(embedding(i))
      if (sparse !== undefined) {
        const { indices, values } = sparseRow(sparse, i)
        if (hashed) row.push(`{${indices.join(',')}}`, `{${values.join(',')}}`)
        else row.push(sparseLiteral(indices, values))
      }
      for (const [at, value] of row.entries()) values[at]?.push(value)
      characters += row.reduce<number>(
        (sum, value) => sum + (typeof value === 'string' ? value.length : 8),
        0,
      )
      if (
        (values[0]?.length ?? 0) < ROWS_AT_ONCE &&
        characters < CHARACTERS_AT_ONCE &&
        i + 1 < records.length
      )
        continue
      await this.#insert(values, columns)
      values = emptyColumns(columns.length)
      characters = 0
    }
  }

  async commit(): Promise<JsonValue> {
    if (this.#inTransaction) await this.#query('COMMIT')
    this.#inTransaction = false
    return null
  }

  async close(): Promise<void> {
    const connection = this.#connection
    if (connection === undefined) return
    try {
      // Without a word the server would roll back too, but a client that was given stays.
      if (this.#inTransaction) await this.#query('ROLLBACK')
      else await this.#makeIndex()
    } finally {
      this.#inTransaction = false
      this.#connection = undefined
      await connection.end()
    }
  }

  async #insert(values: unknown[][], columns: readonly VectorColumn[]): Promise<void> {
    const types = ['text', 'text', 'integer', 'text', 'integer', 'integer', 'integer', 'text', 'text']
    const names = [
      'id',
      'document_id',
      'chunk',
      'text',
      'start_at',
      'end_at',
      'tokens',
      'headings',
      'metadata',
    ]
    const list = [...types, ...columns.map(() => 'text')].map((type, i) => `$${i + 1}::${type}[]`)
    const picked = names.map((name) => {
      if (name === 'headings') return 'ARRAY(SELECT jsonb_array_elements_text(headings::jsonb))'
      return name === 'metadata' ? 'metadata::jsonb' : name
    })
    const all = [...names, ...columns.map(({ name }) => name)]
    await this.#query(
      `INSERT INTO ${this.#table} (${all.join(', ')})
       SELECT ${[...picked, ...columns.map(({ name, type }) => `${name}::${type}`)].join(', ')}
       FROM unnest(${list.join(', ')}) AS given (${all.join(', ')})`,
      values,
    )
  }

  async #makeIndex(): Promise<void> {
    const { index, table = 'documents' } = this.#options
    const { dense } = this.#vectors
    if (index === undefined || dense === undefined) return
    const { operators } = formatOf(dense.dtype)
    await this.#query(
      `CREATE INDEX IF NOT EXISTS ${quote(`${table}_${index}`)} ON ${this.#table} USING ${index} (embedding ${operators})`,
    )
  }

  async #begin(): Promise<void> {
    if (!this.#inTransaction) await this.#query('BEGIN')
    this.#inTransaction = true
  }

  #query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }> {
    if (this.#connection === undefined) throw new MillraceError('CLOSED', 'The sink pgvector is not open')
    return this.#connection.client.query(text, values)
  }
}

/**
 * Opens a table that {@link pgVectorSink} made, for search.
 *
 * @throws MillraceError SINK_FAILED where there is none; PACKAGE_NOT_FOUND.
 */
export async function openPgVector(options: PgOptions): Promise<SearchableStore> {
  const checked = parseOptions<PgOptions>('openPgVector', options, placeChecks)
  checkPlace(checked)
  const table = tableName(checked)
  const connection = await connect(checked, 'openPgVector')
  let facts: { model?: string; dtype?: string }
  try {
    const { rows } = await connection.client.query(
      `SELECT col_description($1::regclass, attnum) AS facts FROM pg_attribute WHERE attrelid = $1::regclass AND attname = 'embedding'`,
      [table],
    )
    facts = JSON.parse(String(rows[0]?.['facts'] ?? '{}')) as typeof facts
    if (rows.length === 0) throw new Error('it has no column embedding')
  } catch (cause) {
    await connection.end()
    throw new MillraceError('SINK_FAILED', `There is no table ${table} of dense vectors`, { cause })
  }
  const { distance, type } = formatOf(facts.dtype ?? 'float32')
  const isBits = type === 'bit'
  return {
    model: async () => facts.model,
    async search(query, { limit = 10 } = {}) {
      const given = isBits
        ? Array.from(query, (value) => (value > 0 ? 1 : 0)).join('')
        : `[${query.join(',')}]`
      const cast = isBits ? `bit(${query.length})` : type
      const { rows } = await connection.client.query(
        `SELECT id, document_id, text, headings, metadata, embedding ${distance} $1::${cast} AS distance FROM ${table}
         ORDER BY embedding ${distance} $1::${cast} LIMIT $2`,
        [given, limit],
      )
      return rows.map(
        (row): StoreHit => ({
          id: String(row['id']),
          documentId: String(row['document_id']),
          text: String(row['text']),
          headings: row['headings'] as string[],
          metadata: row['metadata'] as Record<string, JsonValue>,
          // Bits that differ are an angle: half of them is a right one.
          score: isBits
            ? Math.cos((Math.PI * Number(row['distance'])) / query.length)
            : 1 - Number(row['distance']),
        }),
      )
    },
    close: () => connection.end(),
  }
}

interface Connection {
  client: PgClient
  end(): Promise<void>
}

async function connect({ client: given, connectionString }: PgOptions, user: string): Promise<Connection> {
  if (given !== undefined) return { client: given, end: async () => {} }
  type Client = PgClient & {
    connect(): Promise<unknown>
    end(): Promise<void>
    on(event: 'error', listener: () => void): void
  }
  const pg = await importPeer<{ default: { Client: new (options: object) => Client } }>('pg', '8', user)
  const opened = new pg.default.Client({ connectionString })
  // A connection that breaks is an error of the query under way, or of the next.
  opened.on('error', () => {})
  await opened.connect()
  return { client: opened, end: () => opened.end() }
}

async function needExtension(client: PgClient): Promise<void> {
  const { rows } = await client.query(`SELECT FROM pg_extension WHERE extname = 'vector'`)
  if (rows.length > 0) return
  throw new MillraceError(
    'SINK_FAILED',
    'The database lacks the extension pgvector: run CREATE EXTENSION vector',
  )
}

interface VectorColumn {
  name: string
  type: string
}

function vectorColumns({ dense, sparse }: VectorSchema): VectorColumn[] {
  const columns: VectorColumn[] = []
  if (dense !== undefined) {
    if (dense.ranges !== undefined && dense.dtype !== 'int8' && dense.dtype !== 'uint8') {
      throw invalidOption('ranges', 'no ranges', dense.ranges)
    }
    columns.push({ name: 'embedding', type: `${formatOf(dense.dtype).type}(${dense.dim})` })
  }
  if (sparse?.idf === true) {
    columns.push({ name: 'sparse_indices', type: 'bigint[]' }, { name: 'sparse_values', type: 'real[]' })
  } else if (sparse !== undefined) {
    columns.push({ name: 'sparse', type: 'sparsevec' })
  }
  return columns
}

function formatOf(dtype: string): { type: string; distance: string; operators: string } {
  if (dtype === 'binary' || dtype === 'ubinary')
    return { type: 'bit', distance: '<~>', operators: 'bit_hamming_ops' }
  const type = dtype === 'float16' ? 'halfvec' : 'vector'
  return { type, distance: '<=>', operators: `${type}_cosine_ops` }
}

/** Vectors as pgvector reads them, by row. */
async function literals(dense: DenseColumn): Promise<(i: number) => string> {
  const { dtype, dim, data } = dense
  if (dtype === 'binary' || dtype === 'ubinary') {
    const flip = dtype === 'binary' ? 0x80 : 0
    return (i) => {
      const bytes = Array.from(denseRow(dense, i), (byte) =>
        ((byte & 0xff) ^ flip).toString(2).padStart(8, '0'),
      )
      return bytes.join('').slice(0, dim)
    }
  }
  const values = dtype === 'float32' ? (data as Float32Array) : await dequantize(dense, dim)
  return (i) => `[${values.subarray(i * dim, (i + 1) * dim).join(',')}]`
}

/** Entries in ascending order and counted from 1, as pgvector wants them. */
function sparseLiteral(indices: Uint32Array, values: Float32Array): string {
  const entries = Array.from(indices, (index, i) => [index + 1, values[i] ?? 0] as const).filter(
    ([, value]) => value !== 0,
  )
  entries.sort(([a], [b]) => a - b)
  return `{${entries.map(([index, value]) => `${index}:${value}`).join(',')}}/${SPARSE_DIMENSIONS}`
}

function emptyColumns(vectors: number): unknown[][] {
  return Array.from({ length: 9 + vectors }, () => [])
}

/** PostgreSQL has no NUL in texts, and lone surrogates have no UTF-8. */
function clean(text: string): string {
  const whole = text.replaceAll('\u0000', '\ufffd').replaceAll('\\u0000', '\\ufffd')
  return Buffer.from(whole).toString()
}

function tableName({ schema, table = 'documents' }: PgOptions): string {
  return schema === undefined ? quote(table) : `${quote(schema)}.${quote(table)}`
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

function checkPlace({ connectionString, client }: PgOptions): void {
  if ((connectionString === undefined) === (client === undefined)) {
    throw invalidOption('connectionString', 'either connectionString or client', connectionString)
  }
}
