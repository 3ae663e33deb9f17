/** Which SQLite is used: the one of Node, better-sqlite3 or libsql, all with nearly one interface; and sqlite-vec in it. */

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MillraceError } from '../../../base/errors.js'
import { importPeer } from '../../../peers/peer.js'

/** What is used of a driver; the databases of node:sqlite, better-sqlite3 and libsql are such. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  loadExtension(path: string): unknown
  close(): unknown
}

export interface SqliteStatement {
  run(...values: unknown[]): unknown
  get(...values: unknown[]): unknown
  all(...values: unknown[]): unknown[]
}

type DatabaseClass = new (path: string, options?: object) => SqliteDatabase

const SQLITE_VEC = '^0.1.9'

/** Packages that will do where Node has no SQLite that loads extensions, the commonest first. */
const PACKAGES = [
  ['better-sqlite3', '12'],
  ['libsql', '^0.5'],
] as const

/** What a database is opened for. For reading, the file must be there, and nothing is written beside it. */
export type Access = 'write' | 'read'

/** Opens the file, with sqlite-vec. `user` is who needs it, for errors. */
export async function openDatabase(path: string, access: Access, user: string): Promise<SqliteDatabase> {
  // First what may be missing: opening a database for writing makes its file.
  await vectorExtension(user)
  const database = await openPlain(path, access, user)
  try {
    await loadVectors(database, user)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Makes sqlite-vec's functions known to a database. */
export async function loadVectors(database: SqliteDatabase, user: string): Promise<void> {
  const path = await vectorExtension(user)
  try {
    database.prepare('SELECT vec_version()').get()
  } catch {
    database.loadExtension(path)
  }
}

async function vectorExtension(user: string): Promise<string> {
  const { getLoadablePath } = await importPeer<{ getLoadablePath(): string }>('sqlite-vec', SQLITE_VEC, user)
  return getLoadablePath()
}

async function openPlain(path: string, access: Access, user: string): Promise<SqliteDatabase> {
  const readOnly = access === 'read'
  const own = process.getBuiltinModule?.('node:sqlite') as { DatabaseSync: DatabaseClass } | undefined
  // Older ones cannot load extensions.
  if (own !== undefined && 'loadExtension' in own.DatabaseSync.prototype) {
    return new own.DatabaseSync(path, { allowExtension: true, readOnly })
  }
  let missing: MillraceError | undefined
  for (const [name, range] of PACKAGES) {
    try {
      const found = await importPeer<{ default: DatabaseClass }>(name, range, user)
      if (name === 'better-sqlite3')
        return new found.default(path, { readonly: readOnly, fileMustExist: readOnly })
      // libsql has no such option, but takes the address form of SQLite, which has.
      return new found.default(readOnly ? `${pathToFileURL(resolve(path)).href}?mode=ro` : path)
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'PACKAGE_NOT_FOUND') throw error
      missing ??= error
    }
  }
  throw missing ?? new MillraceError('PACKAGE_NOT_FOUND', `${user} needs SQLite`)
}
