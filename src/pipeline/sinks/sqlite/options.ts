/** Options of the SQLite sink and of searching in what it made. */

import { invalidOption } from '../../../base/errors.js'
import { isRecord } from '../../../base/is.js'
import { type Check, nonEmptyString } from '../../../options/check.js'
import type { SqliteDatabase } from './driver.js'

/** Options of {@link openSqlite}: where the tables are, by exactly one of `path` and `database`. */
export interface SqliteOptions {
  /** The database's file. */
  path?: string | undefined
  /** A database that is open, of node:sqlite, better-sqlite3 or libsql; it is not closed. */
  database?: SqliteDatabase | undefined
  /** Beginning of the tables' names. @default 'documents' */
  table?: string | undefined
}

/** Options of {@link sqliteSink}. */
export interface SqliteSinkOptions extends SqliteOptions {
  /** Whether tables that are there, and that no journal knows, are dropped; else they must be empty. @default false */
  overwrite?: boolean | undefined
}

const database: Check<SqliteDatabase> = (name, value) => {
  if (!isRecord(value) || typeof value['prepare'] !== 'function' || typeof value['exec'] !== 'function') {
    throw invalidOption(name, 'database of node:sqlite, better-sqlite3 or libsql', value)
  }
  return value as unknown as SqliteDatabase
}

/** Checks of {@link SqliteOptions}. */
export const sqlitePlaceChecks = { path: nonEmptyString, database, table: nonEmptyString } as const

/** The store's name for people. */
export function placeOf({ path, table = 'documents' }: SqliteOptions): string {
  return `The table ${table} in ${path ?? 'the database'}`
}
