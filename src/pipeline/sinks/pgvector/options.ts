/** Options of the PostgreSQL sink and of searching in what it made, and names in the database. */

import { createHash } from 'node:crypto'
import { invalidOption } from '../../../base/errors.js'
import { isRecord } from '../../../base/is.js'
import { type Check, nonEmptyString } from '../../../options/check.js'

/** A client of pg, connected. */
export interface PgClient {
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
}

/** Where the database is, by exactly one of `connectionString` and `client`. */
export interface PgOptions {
  /** As `postgres://user@host:5432/database`. A password may be left to the variable PGPASSWORD. */
  connectionString?: string | undefined
  /** A client of pg that is connected and that nobody else uses meanwhile; it is not ended. A pool will not do: it has no transactions. */
  client?: PgClient | undefined
  /** At most 63 bytes, PostgreSQL's own limit. @default 'documents' */
  table?: string | undefined
  /** @default the connection's first */
  schema?: string | undefined
}

/** Options of {@link openPgVector}. */
export interface PgSearchOptions extends PgOptions {
  /** Ends the wait for a connection. */
  signal?: AbortSignal | undefined
}

/** Options of {@link pgVectorSink}. */
export interface PgVectorSinkOptions extends PgOptions {
  /** Index that is made at the end of the first run, over cosine distance (bits: Hamming). @default none, so searches are exact */
  index?: 'hnsw' | 'ivfflat' | undefined
  /** Whether a table that is there, and that no journal knows, is dropped; else it must be empty. @default false */
  overwrite?: boolean | undefined
}

/** PostgreSQL cuts longer names off without a word, so that two of them may be one. */
const MOST_NAME_BYTES = 63

/** Digits of the hash in a shortened name: enough to tell a database's tables apart. */
const HASH_DIGITS = 8

const client: Check<PgClient> = (name, value) => {
  if (!isRecord(value) || typeof value['query'] !== 'function')
    throw invalidOption(name, 'client of pg', value)
  return value as unknown as PgClient
}

const sqlName: Check<string> = (name, value) => {
  const text = nonEmptyString(name, value)
  if (Buffer.byteLength(text) > MOST_NAME_BYTES || text.includes('\u0000')) {
    throw invalidOption(name, `name of at most ${MOST_NAME_BYTES} bytes without NUL`, value)
  }
  return text
}

/** Checks of {@link PgOptions}. */
export const pgPlaceChecks = {
  connectionString: nonEmptyString,
  client,
  table: sqlName,
  schema: sqlName,
} as const

/** Names of a store in the database, quoted for SQL. */
export interface PgNames {
  table: string
  facts: string
  /** The index of document ids. */
  byDocument: string
  /** The index of vectors of a kind. */
  vectorIndex(kind: string): string
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

export function namesOf({ schema, table = 'documents' }: PgOptions): PgNames {
  const inSchema = (name: string) => (schema === undefined ? quote(name) : `${quote(schema)}.${quote(name)}`)
  return {
    table: inSchema(table),
    facts: inSchema(derived(table, '_facts')),
    byDocument: quote(derived(table, '_by_document')),
    vectorIndex: (kind) => quote(derived(table, `_${kind}`)),
  }
}

/**
 * The name of something that belongs to a table. Where it would be too long, the table's name is shortened and told apart by a hash: cut off by
 * PostgreSQL, it would be the name of the table itself, and `IF NOT EXISTS` would then make nothing.
 */
function derived(table: string, suffix: string): string {
  const name = `${table}${suffix}`
  if (Buffer.byteLength(name) <= MOST_NAME_BYTES) return name
  const tail = `_${createHash('sha256').update(table).digest('hex').slice(0, HASH_DIGITS)}${suffix}`
  let head = table
  while (Buffer.byteLength(head) + Buffer.byteLength(tail) > MOST_NAME_BYTES)
    head = [...head].slice(0, -1).join('')
  return `${head}${tail}`
}

/** The store's name for people. */
export function placeOf({ schema, table = 'documents' }: PgOptions): string {
  return `The table ${schema === undefined ? '' : `${schema}.`}${table}`
}
