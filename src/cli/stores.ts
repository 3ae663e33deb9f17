/** How stores are written on the command line, and what they are: sinks to index into, and what can be searched. */

import { createHash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import {
  jsonlSink,
  lanceDbSink,
  MillraceError,
  numpySink,
  openLanceDb,
  openPgVector,
  openQdrant,
  openSqlite,
  parquetSink,
  pgVectorSink,
  qdrantSink,
  type SearchableStore,
  type Sink,
  sqliteSink,
} from '../../index.js'
import { withoutSecrets } from '../base/secrets.js'
import { isStoreRefusal, type OptionWords } from '../pipeline/refusal.js'
import { usageError } from './exit.js'

// LanceDB tells of every table that it makes.
process.env['LANCEDB_LOG'] ??= 'error'

/** For help. */
export const STORES_HELP = `Stores:
  lancedb:DIRECTORY/TABLE        LanceDB (package @lancedb/lancedb)
  sqlite:FILE[#TABLE], FILE.db   SQLite with sqlite-vec
  postgres://…[#TABLE]           PostgreSQL with pgvector (package pg)
  qdrant:http://HOST:PORT/NAME   Qdrant (package @qdrant/js-client-rest)
  parquet:DIRECTORY              Parquet files (package hyparquet-writer)
  FILE.jsonl, FILE.npy           JSON lines; NumPy, with FILE.records.jsonl beside`

type Place =
  | { kind: 'lancedb'; uri: string; table: string }
  | { kind: 'sqlite'; path: string; table?: string }
  | { kind: 'postgres'; connectionString: string; table?: string }
  | { kind: 'qdrant'; url: string; collection: string }
  | { kind: 'parquet' | 'jsonl' | 'npy'; path: string }

/** Whether the place is a store rather than a file of vectors that `millrace embed` wrote. */
export function isStore(place: string): boolean {
  return /^(lancedb|sqlite|qdrant):|^postgres(ql)?:\/\/|\.(db|sqlite3?)$/i.test(place)
}

/** The sink of a place. Throws INVALID_OPTION for what is none. */
export function sinkOf(text: string, overwrite: boolean): Sink {
  const place = parse(text)
  switch (place.kind) {
    case 'lancedb': {
      const { uri, table } = place
      return lanceDbSink({ uri, table, overwrite })
    }
    case 'sqlite': {
      const { path, table } = place
      return sqliteSink({ path, overwrite, ...(table !== undefined && { table }) })
    }
    case 'postgres': {
      const { connectionString, table } = place
      return pgVectorSink({ connectionString, overwrite, ...(table !== undefined && { table }) })
    }
    case 'qdrant': {
      const { url, collection } = place
      return qdrantSink({ url, collection, overwrite, ...apiKey() })
    }
    case 'parquet':
      return parquetSink(place.path, { overwrite })
    case 'npy':
      return numpySink(place.path, { overwrite })
    case 'jsonl':
      return jsonlSink(place.path, { overwrite })
  }
}

/** The store of a place, to be searched. An abort ends the wait for its server. */
export function storeOf(text: string, signal: AbortSignal): Promise<SearchableStore> {
  const place = parse(text)
  switch (place.kind) {
    case 'lancedb':
      return openLanceDb({ uri: place.uri, table: place.table })
    case 'sqlite':
      return openSqlite({ path: place.path, ...(place.table !== undefined && { table: place.table }) })
    case 'postgres': {
      const { connectionString, table } = place
      return openPgVector({ connectionString, signal, ...(table !== undefined && { table }) })
    }
    case 'qdrant':
      return openQdrant({ url: place.url, collection: place.collection, ...apiKey() })
    case 'parquet':
    case 'npy':
    case 'jsonl':
      throw usageError(`Expected a store that can be searched but received '${shownStore(text)}'`)
  }
}

/** The place as it is printed: an address may carry a password. */
export function shownStore(text: string): string {
  return withoutSecrets(text)
}

/** How options are called where a refusal of a store is read. */
const FLAGS: OptionWords = { overwrite: '--overwrite', journal: '--journal FILE' }

/** The error as the command line tells it: a refusal names options of TypeScript unless it is told otherwise. */
export function inFlags(error: unknown): unknown {
  if (!isStoreRefusal(error)) return error
  return new MillraceError(error.code, error.describe(FLAGS), { cause: error })
}

/** Hexadecimal digits in the name of a journal: enough to tell the stores of one folder apart. */
const NAME_DIGITS = 12

/**
 * Where the journal of a store lies that is on a server, and so has no place for one beside it: in the working directory, by a name made of server,
 * database and table. User and password are no part of it, so that another password is not another store.
 */
export function journalOf(text: string): string {
  const place = parse(text)
  const { kind } = place
  const [server, table] =
    kind === 'postgres'
      ? [withoutUser(place.connectionString), place.table ?? 'documents']
      : kind === 'qdrant'
        ? [withoutUser(place.url), place.collection]
        : [withoutUser(text), kind === 'lancedb' ? place.table : '']
  const name = createHash('sha256')
    .update(JSON.stringify([kind, server, table]))
    .digest('hex')
  const readable = table.replace(/[^\w.-]+/g, '_').slice(0, 40)
  return join('.millrace', `${readable}-${name.slice(0, NAME_DIGITS)}.journal`)
}

function withoutUser(address: string): string {
  return address
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1')
    .replace(/\?.*$/s, '')
    .replace(/\/+$/, '')
    .toLowerCase()
}

/** A key does not belong on a command line, where others read it. */
function apiKey(): { apiKey?: string } {
  const key = process.env['QDRANT_API_KEY']
  return key === undefined || key === '' ? {} : { apiKey: key }
}

function parse(text: string): Place {
  const [, scheme = '', rest = ''] = /^(lancedb|sqlite|parquet|qdrant):(.+)$/i.exec(text) ?? []
  const hash = text.lastIndexOf('#')
  // Taken for a table's name, the rest of such a password would be printed with it.
  if (/:\/\//.test(text) && hash >= 0 && text.includes('@', hash)) {
    throw usageError('Expected a password with # written as %23 in the address of the store')
  }
  const table = hash < 0 ? {} : { table: text.slice(hash + 1) }
  const whole = hash < 0 ? text : text.slice(0, hash)
  switch (scheme.toLowerCase()) {
    case 'lancedb': {
      const path = rest.replace(/\/+$/, '')
      const uri = /^[a-z][a-z0-9+]+:\/\//i.test(path) ? path.slice(0, path.lastIndexOf('/')) : dirname(path)
      return { kind: 'lancedb', uri, table: basename(path).replace(/\.lance$/, '') }
    }
    case 'sqlite':
      return { kind: 'sqlite', path: whole.slice('sqlite:'.length), ...table }
    case 'parquet':
      return { kind: 'parquet', path: rest }
    case 'qdrant': {
      const at = rest.lastIndexOf('/')
      const collection = rest.slice(at + 1)
      if (!/^https?:\/\/[^/]+\//i.test(rest) || collection === '') break
      return { kind: 'qdrant', url: rest.slice(0, at), collection }
    }
    default:
      if (/^postgres(ql)?:\/\//i.test(text)) return { kind: 'postgres', connectionString: whole, ...table }
      if (/\.(db|sqlite3?)$/i.test(whole)) return { kind: 'sqlite', path: whole, ...table }
      if (/\.(jsonl|ndjson)$/i.test(text)) return { kind: 'jsonl', path: text }
      if (/\.npy$/i.test(text)) return { kind: 'npy', path: text }
  }
  throw usageError(`Expected a store but received '${shownStore(text)}'\n${STORES_HELP}`)
}
