/** SQLite with sqlite-vec: records in one file, replaced and searched by SQL. Needs the package sqlite-vec, and before Node 22.13 better-sqlite3 or libsql. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { invalidOption, MillraceError } from '../../base/errors.js'
import { isRecord } from '../../base/is.js'
import { boolean, type Check, nonEmptyString, parseOptions } from '../../options/check.js'
import type { JsonValue } from '../document.js'
import { type DenseColumn, denseRow, type RecordBatch, sparseRow } from '../record.js'
import type { SearchableStore, Sink, SinkContext, StoreHit, VectorSchema } from '../sink.js'
import { loadVectors, openDatabase, type SqliteDatabase, type SqliteStatement } from './sqlite-driver.js'

/** Options of {@link sqliteSink}. */
export interface SqliteSinkOptions {
  /** The database's file. */
  path?: string | undefined
  /** A database that is open, of node:sqlite, better-sqlite3 or libsql; it is not closed. */
  database?: SqliteDatabase | undefined
  /** Beginning of the tables' names. @default 'documents' */
  table?: string | undefined
  /** Whether tables that are there, and that no journal knows, are dropped; else they must be empty. @default false */
  overwrite?: boolean | undefined
}

/** Options of {@link openSqlite}. */
export interface SqliteOptions {
  path?: string | undefined
  database?: SqliteDatabase | undefined
  /** @default 'documents' */
  table?: string | undefined
}

/** Rows that are inserted in one turn of the event loop: these drivers block it. About a millisecond or two. */
const ROWS_AT_ONCE = 32

/** Ids of one statement. */
const IDS_AT_ONCE = 500

const USER = 'The sink sqlite'

const database: Check<SqliteDatabase> = (name, value) => {
  if (!isRecord(value) || typeof value['prepare'] !== 'function' || typeof value['exec'] !== 'function') {
    throw invalidOption(name, 'database of node:sqlite, better-sqlite3 or libsql', value)
  }
  return value as unknown as SqliteDatabase
}

/**
 * Writes records into SQLite: the table `documents` with a row a record, `documents_vectors` (sqlite-vec, cosine; for bits Hamming) with
 * their vectors under the same rowid, and `documents_facts`. Sparse vectors are blobs of 32-bit numbers. Vectors may be float32, int8, uint8
 * with a scale a vector (kept as int8) or bits.
 *
 * @example
 * const sink = sqliteSink({ path: 'docs.db' })
 */
export function sqliteSink(options: SqliteSinkOptions): Sink {
  const checked = parseOptions<SqliteSinkOptions>('sqliteSink', options, {
    path: nonEmptyString,
    database,
    table: nonEmptyString,
    overwrite: boolean,
  })
  checkPlace(checked)
  return new SqliteSink(checked)
}

class SqliteSink implements Sink {
  readonly name = 'sqlite'
  readonly journalPath: string | undefined
  readonly #options: SqliteSinkOptions
  readonly #tables: Tables
  #database: SqliteDatabase | undefined
  #schema: VectorSchema = {}
  #inTransaction = false
  #next = 1n

  constructor(options: SqliteSinkOptions) {
    this.#options = options
    this.#tables = tablesOf(options.table ?? 'documents')
    this.journalPath = options.path === undefined ? undefined : `${options.path}.journal`
  }

  async open({ schema, checkpoint }: SinkContext): Promise<void> {
    const column = columnOf(schema)
    const { path, database: given, overwrite = false } = this.#options
    const db = given ?? (await openDatabase(path as string, USER))
    this.#database = db
    if (given !== undefined) await loadVectors(given, USER)
    this.#schema = schema
    if (given === undefined) db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    const { records, vectors, facts } = this.#tables
    if (checkpoint === undefined && overwrite) {
      for (const table of [records, vectors, facts]) db.exec(`DROP TABLE IF EXISTS ${table}`)
    }
    db.exec(`CREATE TABLE IF NOT EXISTS ${records} (
      rowid INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document_id TEXT NOT NULL, chunk INTEGER NOT NULL, text TEXT NOT NULL,
      start INTEGER NOT NULL, "end" INTEGER NOT NULL, tokens INTEGER NOT NULL, headings TEXT NOT NULL, metadata TEXT NOT NULL,
      sparse_indices BLOB, sparse_values BLOB);
      CREATE INDEX IF NOT EXISTS ${this.#tables.index} ON ${records} (document_id);
      CREATE TABLE IF NOT EXISTS ${facts} (name TEXT PRIMARY KEY, value TEXT NOT NULL)`)
    const { count, last } = db
      .prepare(`SELECT count(*) AS count, max(rowid) AS last FROM ${records}`)
      .get() as {
      count: number
      last: number | null
    }
    if (checkpoint === undefined && Number(count) > 0) {
      throw new MillraceError(
        'SINK_FAILED',
        `The table ${records} has rows, and no journal says which: choose another table or file, or overwrite: true`,
      )
    }
    this.#next = BigInt(last ?? 0) + 1n
    if (column !== undefined)
      db.exec(`CREATE VIRTUAL TABLE IF NOT EXISTS ${vectors} USING vec0(embedding ${column})`)
    const set = db.prepare(`INSERT OR REPLACE INTO ${facts} VALUES (?, ?)`)
    for (const [name, value] of factsOf(schema)) set.run(name, value)
  }

  async remove(documentIds: readonly string[]): Promise<void> {
    const db = this.#begin()
    const { records, vectors } = this.#tables
    for (let from = 0; from < documentIds.length; from += IDS_AT_ONCE) {
      const ids = documentIds.slice(from, from + IDS_AT_ONCE)
      const some = ids.map(() => '?').join(', ')
      if (this.#schema.dense !== undefined) {
        db.prepare(
          `DELETE FROM ${vectors} WHERE rowid IN (SELECT rowid FROM ${records} WHERE document_id IN (${some}))`,
        ).run(...ids)
      }
      db.prepare(`DELETE FROM ${records} WHERE document_id IN (${some})`).run(...ids)
      await nextTurn()
    }
  }

  async write({ records, dense, sparse }: RecordBatch): Promise<void> {
    const db = this.#begin()
    const { records: table, vectors } = this.#tables
    const insert = db.prepare(`INSERT INTO ${table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
    const value = dense === undefined ? '' : vectorValue(dense)
    const insertVector = dense && db.prepare(`INSERT INTO ${vectors} (rowid, embedding) VALUES (?, ${value})`)
    for (const [i, record] of records.entries()) {
      const row = sparse === undefined ? undefined : sparseRow(sparse, i)
      insert.run(
        this.#next,
        record.id,
        record.documentId,
        record.chunk,
        record.text,
        record.start,
        record.end,
        record.tokens,
        JSON.stringify(record.headings),
        JSON.stringify(record.metadata),
        row === undefined ? null : bytesOf(row.indices),
        row === undefined ? null : bytesOf(row.values),
      )
      if (dense !== undefined) insertVector?.run(this.#next, vectorBytes(dense, i))
      this.#next++
      if (i % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) await nextTurn()
    }
  }

  async commit(): Promise<JsonValue> {
    if (this.#inTransaction) this.#database?.exec('COMMIT')
    this.#inTransaction = false
    return null
  }

  async close(): Promise<void> {
    const db = this.#database
    this.#database = undefined
    if (db === undefined) return
    if (this.#inTransaction) db.exec('ROLLBACK')
    this.#inTransaction = false
    if (this.#options.database === undefined) db.close()
  }

  #begin(): SqliteDatabase {
    const db = this.#database
    if (db === undefined) throw new MillraceError('CLOSED', 'The sink sqlite is not open')
    if (!this.#inTransaction) db.exec('BEGIN IMMEDIATE')
    this.#inTransaction = true
    return db
  }
}

/**
 * Opens what {@link sqliteSink} made, for search.
 *
 * @throws MillraceError SINK_FAILED where there is no such table, or no dense vectors in it; PACKAGE_NOT_FOUND.
 */
export async function openSqlite(options: SqliteOptions): Promise<SearchableStore> {
  const checked = parseOptions<SqliteOptions>('openSqlite', options, {
    path: nonEmptyString,
    database,
    table: nonEmptyString,
  })
  checkPlace(checked)
  const { path, database: given, table = 'documents' } = checked
  const db = given ?? (await openDatabase(path as string, 'openSqlite'))
  if (given !== undefined) await loadVectors(given, 'openSqlite')
  const { records, vectors, facts } = tablesOf(table)
  let found: Map<string, string>
  let statement: SqliteStatement
  try {
    const rows = db.prepare(`SELECT name, value FROM ${facts}`).all() as { name: string; value: string }[]
    found = new Map(rows.map(({ name, value }) => [name, value]))
    const query = { int8: 'vec_int8(?)', ubinary: 'vec_bit(?)' }[found.get('format') ?? ''] ?? '?'
    statement = db.prepare(`SELECT r.*, v.distance FROM
      (SELECT rowid, distance FROM ${vectors} WHERE embedding MATCH ${query} AND k = ?) v
      JOIN ${records} r ON r.rowid = v.rowid ORDER BY v.distance, r.rowid`)
  } catch (cause) {
    if (given === undefined) db.close()
    throw new MillraceError(
      'SINK_FAILED',
      `There is no table ${table} of dense vectors in ${path ?? 'the database'}`,
      { cause },
    )
  }
  const format = found.get('format') ?? 'float32'
  return {
    model: async () => found.get('model'),
    async search(query, { limit = 10 } = {}) {
      const rows = statement.all(queryBytes(query, format), limit) as Record<string, unknown>[]
      return rows.map((row): StoreHit => {
        const distance = Number(row['distance'])
        return {
          id: String(row['id']),
          documentId: String(row['document_id']),
          text: String(row['text']),
          headings: JSON.parse(String(row['headings'])) as string[],
          metadata: JSON.parse(String(row['metadata'])) as Record<string, JsonValue>,
          // Bits that differ are an angle: half of them is a right one.
          score: format === 'ubinary' ? Math.cos((Math.PI * distance) / query.length) : 1 - distance,
        }
      })
    },
    async close() {
      if (given === undefined) db.close()
    },
  }
}

interface Tables {
  records: string
  vectors: string
  facts: string
  index: string
}

function tablesOf(name: string): Tables {
  const quoted = (suffix: string) => `"${`${name}${suffix}`.replaceAll('"', '""')}"`
  return {
    records: quoted(''),
    vectors: quoted('_vectors'),
    facts: quoted('_facts'),
    index: quoted('_by_document'),
  }
}

function checkPlace({ path, database }: SqliteOptions): void {
  if ((path === undefined) === (database === undefined))
    throw invalidOption('path', 'either path or database', path)
}

/** The column's type in sqlite-vec; nothing where there are no dense vectors. */
function columnOf({ dense }: VectorSchema): string | undefined {
  if (dense === undefined) return undefined
  const { dtype, dim, ranges } = dense
  if (dtype === 'float16')
    throw invalidOption('dtype', 'float32, int8, uint8, binary or ubinary for SQLite', dtype)
  if (ranges !== undefined)
    throw invalidOption('ranges', 'no ranges for SQLite, which compares levels', ranges)
  if (dtype === 'float32') return `float[${dim}] distance_metric=cosine`
  if (dtype === 'int8' || dtype === 'uint8') return `int8[${dim}] distance_metric=cosine`
  if (dim % 8 !== 0) throw invalidOption('dimensions', 'multiple of 8 for bits in SQLite', dim)
  return `bit[${dim}]`
}

function factsOf({ dense, sparse }: VectorSchema): [string, string][] {
  const facts: [string, string][] = [['version', '1']]
  if (dense !== undefined) {
    const { model, dim, dtype } = dense
    const format = dtype === 'uint8' ? 'int8' : dtype === 'binary' ? 'ubinary' : dtype
    facts.push(['model', model], ['dim', String(dim)], ['format', format])
  }
  if (sparse !== undefined) facts.push(['sparse model', sparse.model])
  return facts
}

/** How the vector is given to sqlite-vec. */
function vectorValue({ dtype }: DenseColumn): string {
  if (dtype === 'int8' || dtype === 'uint8') return 'vec_int8(?)'
  return dtype === 'binary' || dtype === 'ubinary' ? 'vec_bit(?)' : '?'
}

function vectorBytes(dense: DenseColumn, i: number): Uint8Array {
  const row = denseRow(dense, i)
  // uint8 levels are int8's plus 128, and signed bits the unsigned ones less 128.
  if (dense.dtype === 'uint8' || dense.dtype === 'binary') return bytesOf(row).map((byte) => byte ^ 0x80)
  return bytesOf(row)
}

function queryBytes(query: Float32Array, format: string): Uint8Array {
  if (format === 'int8') {
    const largest = query.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
    return bytesOf(Int8Array.from(query, (value) => Math.round((value * 127) / largest)))
  }
  if (format !== 'ubinary') return bytesOf(query)
  const bits = new Uint8Array(query.length / 8)
  for (const [i, value] of query.entries())
    if (value > 0) bits[i >> 3] = (bits[i >> 3] ?? 0) | (0x80 >> (i & 7))
  return bits
}

/** The bytes of an array. Bits are compared byte by byte, so their order inside does not matter. */
function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
