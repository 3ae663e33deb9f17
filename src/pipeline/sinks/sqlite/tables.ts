/** The tables of a SQLite store: their names, how they are made, and what is found where they should be. */

import { invalidOption, MillraceError } from '../../../base/errors.js'
import { isLeveled } from '../../../formats/dtype.js'
import type { VectorSchema } from '../../sink.js'
import type { FoundStore, StoreState } from '../shared/identity.js'
import type { SqliteDatabase } from './driver.js'

/** Names of a store's tables and index, quoted for SQL. */
export interface Tables {
  records: string
  vectors: string
  facts: string
  index: string
}

/** Columns of the table of records. */
const COLUMNS = {
  rowid: 'INTEGER PRIMARY KEY',
  id: 'TEXT NOT NULL UNIQUE',
  document_id: 'TEXT NOT NULL',
  chunk: 'INTEGER NOT NULL',
  text: 'TEXT NOT NULL',
  start: 'INTEGER NOT NULL',
  end: 'INTEGER NOT NULL',
  tokens: 'INTEGER NOT NULL',
  headings: 'TEXT NOT NULL',
  metadata: 'TEXT NOT NULL',
  sparse_indices: 'BLOB',
  sparse_values: 'BLOB',
} as const

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

export function tablesOf(name: string): Tables {
  return {
    records: quote(name),
    vectors: quote(`${name}_vectors`),
    facts: quote(`${name}_facts`),
    index: quote(`${name}_by_document`),
  }
}

/**
 * The type of the column of dense vectors in sqlite-vec; nothing where there are none.
 *
 * @throws MillraceError INVALID_OPTION for formats that sqlite-vec cannot compare.
 */
export function vectorColumn({ dense }: VectorSchema): string | undefined {
  if (dense === undefined) return undefined
  const { dtype, dim, ranges } = dense
  if (dtype === 'float16')
    throw invalidOption('dtype', 'float32, int8, uint8, binary or ubinary for SQLite', dtype)
  if (ranges !== undefined)
    throw invalidOption('ranges', 'no ranges for SQLite, which compares levels', ranges)
  if (dtype === 'float32') return `float[${dim}] distance_metric=cosine`
  if (isLeveled(dtype)) return `int8[${dim}] distance_metric=cosine`
  if (dim % 8 !== 0) throw invalidOption('dimensions', 'multiple of 8 for bits in SQLite', dim)
  return `bit[${dim}]`
}

/** What was found, and what it says of itself. */
export interface FoundTables extends FoundStore {
  facts: ReadonlyMap<string, string>
}

/** Looks at what is there, without changing it. `name` is the beginning of the tables' names, unquoted. */
export function inspectTables(db: SqliteDatabase, name: string, place: string): FoundTables {
  const tables = tablesOf(name)
  const exists = definitionOf(db, name) !== undefined
  const facts =
    definitionOf(db, `${name}_facts`) === undefined ? new Map<string, string>() : readFacts(db, tables)
  const records = exists ? countRows(db, tables.records) : 0
  return { place, exists, records, state: stateIn(facts), facts }
}

/**
 * Checks that empty tables which are there can take the records. `column` is the type of the vectors.
 *
 * @throws MillraceError SINK_FAILED, with what does not fit.
 */
export function checkTables(
  db: SqliteDatabase,
  name: string,
  place: string,
  column: string | undefined,
): void {
  const found = db.prepare('SELECT name FROM pragma_table_info(?)').all(name) as { name: string }[]
  const there = found.map((row) => row.name)
  const missing =
    there.length === 0 ? [] : Object.keys(COLUMNS).filter((own) => own !== 'rowid' && !there.includes(own))
  if (missing.length > 0) {
    throw new MillraceError(
      'SINK_FAILED',
      `${place} lacks the columns ${missing.join(', ')}: it belongs to something else, choose another table`,
    )
  }
  const vectors = definitionOf(db, `${name}_vectors`)
  if (column === undefined || vectors === undefined || vectors.includes(`embedding ${column})`)) return
  throw new MillraceError(
    'SINK_FAILED',
    `${place} is made for other vectors than ${column}: choose another table`,
  )
}

/** Makes the tables that are not there. `journalMode` is what the database had before the sink changed it, if it did. */
export function makeTables(
  db: SqliteDatabase,
  { records, vectors, facts, index }: Tables,
  schema: VectorSchema,
  state: StoreState,
  journalMode: string | undefined,
): void {
  const columns = Object.entries(COLUMNS).map(([name, type]) => `${quote(name)} ${type}`)
  db.exec(`CREATE TABLE IF NOT EXISTS ${records} (${columns.join(', ')});
    CREATE INDEX IF NOT EXISTS ${index} ON ${records} (document_id);
    CREATE TABLE IF NOT EXISTS ${facts} (name TEXT PRIMARY KEY, value TEXT NOT NULL)`)
  const column = vectorColumn(schema)
  if (column !== undefined)
    db.exec(`CREATE VIRTUAL TABLE IF NOT EXISTS ${vectors} USING vec0(embedding ${column})`)
  writeFacts(db, facts, {
    ...factsOf(schema),
    ...(journalMode !== undefined && { 'journal mode': journalMode }),
  })
  writeState(db, facts, state)
}

/** What a store says of itself; empty where it says nothing. */
export function readFacts(db: SqliteDatabase, { facts }: Tables): Map<string, string> {
  const rows = db.prepare(`SELECT name, value FROM ${facts}`).all() as { name: string; value: string }[]
  return new Map(rows.map(({ name, value }) => [name, value]))
}

/** Writes the state; in the transaction of the records that it counts. */
export function writeState(
  db: SqliteDatabase,
  facts: string,
  { token, records, revision = 0 }: StoreState,
): void {
  writeFacts(db, facts, { store: token, records: String(records), revision: String(revision) })
}

function writeFacts(db: SqliteDatabase, facts: string, values: Readonly<Record<string, string>>): void {
  const set = db.prepare(`INSERT OR REPLACE INTO ${facts} VALUES (?, ?)`)
  for (const [name, value] of Object.entries(values)) set.run(name, value)
}

function stateIn(facts: ReadonlyMap<string, string>): StoreState | undefined {
  const token = facts.get('store')
  if (token === undefined) return undefined
  return { token, records: Number(facts.get('records')), revision: Number(facts.get('revision')) }
}

function factsOf({ dense, sparse }: VectorSchema): Record<string, string> {
  const facts: Record<string, string> = { version: '1' }
  if (dense !== undefined) {
    const { model, dim, dtype } = dense
    // As it is kept: sqlite-vec has signed levels and unsigned bits.
    const format = dtype === 'uint8' ? 'int8' : dtype === 'binary' ? 'ubinary' : dtype
    Object.assign(facts, { model, dim: String(dim), format })
  }
  if (sparse !== undefined) facts['sparse model'] = sparse.model
  return facts
}

/** The SQL that made a table, or nothing where there is none. */
export function definitionOf(db: SqliteDatabase, name: string): string | undefined {
  const row = db.prepare(`SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?`).get(name)
  return (row as { sql: string } | undefined)?.sql
}

function countRows(db: SqliteDatabase, table: string): number {
  const { count } = db.prepare(`SELECT count(*) AS count FROM ${table}`).get() as { count: number }
  return Number(count)
}
