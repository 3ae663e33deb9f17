/** SQLite with sqlite-vec: records in one file. Needs the package sqlite-vec, and before Node 22.13 better-sqlite3 or libsql. Searching is in `search.ts`. */

import { stat } from 'node:fs/promises'
import { bytesOf } from '../../../base/bytes.js'
import { isMissing } from '../../../base/durable.js'
import { MillraceError } from '../../../base/errors.js'
import { nextTurn } from '../../../base/turn.js'
import { boolean, parseOptions } from '../../../options/check.js'
import type { JsonValue } from '../../document.js'
import { type RecordBatch, sparseRow } from '../../record.js'
import { isGone } from '../../refusal.js'
import type { Sink, SinkContext, VectorSchema } from '../../sink.js'
import { checkpointOf, checkStore, newState, type StoreState } from '../shared/identity.js'
import { requireOne } from '../shared/place.js'
import { loadVectors, openDatabase, type SqliteDatabase } from './driver.js'
import { placeOf, type SqliteSinkOptions, sqlitePlaceChecks } from './options.js'
import {
  checkTables,
  inspectTables,
  makeTables,
  type Tables,
  tablesOf,
  vectorColumn,
  writeState,
} from './tables.js'
import { columnParameter, vectorBytes } from './values.js'

/** Rows that are inserted in one turn of the event loop: these drivers block it. About a millisecond or two. */
const ROWS_AT_ONCE = 32

/** Ids of one statement; SQLite takes 999 parameters at least. */
const IDS_AT_ONCE = 500

const USER = 'The sink sqlite'

/**
 * Writes records into SQLite: the table `documents` with a row a record, `documents_vectors` (sqlite-vec, cosine; for bits Hamming) with
 * their vectors under the same rowid, and `documents_facts` with what the vectors are. Sparse vectors are blobs of 32-bit numbers. Vectors may be
 * float32, int8, uint8 with a scale a vector (kept as int8) or bits.
 *
 * While it writes, the database is in WAL mode, so that others can read; at the end it is put back into the mode that it had, and the file alone is
 * the whole store.
 *
 * @example
 * const sink = sqliteSink({ path: 'docs.db' })
 */
export function sqliteSink(options: SqliteSinkOptions): Sink {
  const checked = parseOptions<SqliteSinkOptions>('sqliteSink', options, {
    ...sqlitePlaceChecks,
    overwrite: boolean,
  })
  requireOne(checked, 'path', 'database')
  return new SqliteSink(checked)
}

class SqliteSink implements Sink {
  readonly name = 'sqlite'
  readonly journalPath: string | undefined
  readonly #options: SqliteSinkOptions
  readonly #table: string
  readonly #tables: Tables
  #database: SqliteDatabase | undefined
  #hasVectors = false
  #inTransaction = false
  /** Of the open store: its last commit, with what has been written and removed since in `records`. */
  #state: StoreState = newState()
  /** The rowid of the next record. */
  #next = 1n
  /** The mode that the database gets back at the end; absent while the sink has not changed it. */
  #journalMode: string | undefined

  constructor(options: SqliteSinkOptions) {
    this.#options = options
    this.#table = options.table ?? 'documents'
    this.#tables = tablesOf(this.#table)
    this.journalPath = options.path === undefined ? undefined : `${options.path}.journal`
  }

  async open(context: SinkContext): Promise<void> {
    const column = vectorColumn(context.schema)
    const { overwrite = false } = this.#options
    const place = placeOf(this.#options)
    const db = await this.#connect(context, place)
    this.#database = db
    this.#hasVectors = column !== undefined
    const found = inspectTables(db, this.#table, place)
    checkStore(found, context, overwrite)
    const anew = context.checkpoint === undefined && overwrite
    if (!anew) checkTables(db, this.#table, place, column)
    // From here on things change.
    this.#state = context.checkpoint === undefined || found.state === undefined ? newState() : found.state
    this.#state = { revision: 0, ...this.#state, records: anew ? 0 : found.records }
    this.#beginWal(db, found.facts.get('journal mode'))
    this.#make(db, context.schema, anew)
    const { records } = this.#tables
    const { last } = db.prepare(`SELECT max(rowid) AS last FROM ${records}`).get() as { last: number | null }
    this.#next = BigInt(last ?? 0) + 1n
  }

  async remove(documentIds: readonly string[]): Promise<void> {
    const db = this.#begin()
    const { records, vectors } = this.#tables
    for (let from = 0; from < documentIds.length; from += IDS_AT_ONCE) {
      const ids = documentIds.slice(from, from + IDS_AT_ONCE)
      const some = ids.map(() => '?').join(', ')
      if (this.#hasVectors) {
        db.prepare(
          `DELETE FROM ${vectors} WHERE rowid IN (SELECT rowid FROM ${records} WHERE document_id IN (${some}))`,
        ).run(...ids)
      }
      db.prepare(`DELETE FROM ${records} WHERE document_id IN (${some})`).run(...ids)
      const { removed } = db.prepare('SELECT changes() AS removed').get() as { removed: number }
      this.#state.records -= Number(removed)
      await nextTurn()
      this.#throwIfClosed(db)
    }
  }

  async write({ records, dense, sparse }: RecordBatch): Promise<void> {
    const db = this.#begin()
    const { records: table, vectors } = this.#tables
    const insert = db.prepare(
      `INSERT INTO ${table} (rowid, id, document_id, chunk, text, start, "end", tokens, headings, metadata, sparse_indices, sparse_values)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    const value = dense === undefined ? '' : columnParameter(dense)
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
      if (i % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) {
        await nextTurn()
        this.#throwIfClosed(db)
      }
    }
    this.#state.records += records.length
  }

  async commit(): Promise<JsonValue> {
    const db = this.#database
    if (this.#inTransaction && db !== undefined) {
      this.#state.revision = (this.#state.revision ?? 0) + 1
      writeState(db, this.#tables.facts, this.#state)
      db.exec('COMMIT')
      this.#inTransaction = false
    }
    return checkpointOf(this.#state)
  }

  async close(): Promise<void> {
    const db = this.#database
    this.#database = undefined
    if (db === undefined) return
    try {
      if (this.#inTransaction) db.exec('ROLLBACK')
      this.#endWal(db)
    } finally {
      this.#inTransaction = false
      if (this.#options.database === undefined) db.close()
    }
  }

  /**
   * An aborted run closes the sink while a call may still be between two turns. A database that the caller gave stays open, so
   * without this check the rest of the call would be written outside of any transaction.
   */
  #throwIfClosed(db: SqliteDatabase): void {
    if (this.#database !== db) throw new MillraceError('CLOSED', 'The sink sqlite was closed')
  }

  /** The database; a file that a journal knows, and that is not there, is not made. */
  async #connect({ checkpoint }: SinkContext, place: string): Promise<SqliteDatabase> {
    const { path, database } = this.#options
    if (database !== undefined) {
      await loadVectors(database, USER)
      return database
    }
    const file = path as string
    if (checkpoint !== undefined && !(await isThere(file))) throw isGone(place)
    return openDatabase(file, 'write', USER)
  }

  #make(db: SqliteDatabase, schema: VectorSchema, anew: boolean): void {
    const { records, vectors, facts } = this.#tables
    db.exec('BEGIN IMMEDIATE')
    try {
      if (anew) for (const table of [records, vectors, facts]) db.exec(`DROP TABLE IF EXISTS ${table}`)
      makeTables(db, this.#tables, schema, this.#state, this.#journalMode)
      db.exec('COMMIT')
    } catch (error) {
      db.exec('ROLLBACK')
      throw error
    }
  }

  /**
   * WAL mode, in which others read while this writes. A database of the caller's stays in the mode that it has. `before` is the mode that a store
   * noted when it was made: a process that died has left WAL mode behind.
   */
  #beginWal(db: SqliteDatabase, before: string | undefined): void {
    if (this.#options.database !== undefined) return
    const { journal_mode: now } = db.prepare('PRAGMA journal_mode').get() as { journal_mode: string }
    this.#journalMode = before ?? now
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  }

  /**
   * Brings the log into the file. Otherwise a store that is copied by its one name is empty: libsql leaves everything in the log when it closes.
   * And a database in WAL mode cannot be read where nothing can be written beside it, as in a container's image.
   */
  #endWal(db: SqliteDatabase): void {
    if (this.#journalMode === undefined) return
    try {
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      if (this.#journalMode !== 'wal') db.exec(`PRAGMA journal_mode = ${this.#journalMode}`)
    } catch {
      // Someone reads at this moment: the log stays, whole and valid, and the next run brings it in.
    } finally {
      this.#journalMode = undefined
    }
  }

  #begin(): SqliteDatabase {
    const db = this.#database
    if (db === undefined) throw new MillraceError('CLOSED', 'The sink sqlite is not open')
    if (!this.#inTransaction) db.exec('BEGIN IMMEDIATE')
    this.#inTransaction = true
    return db
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
