/** The tables of a PostgreSQL store: what is found where they should be, and how they are made. */

import { MillraceError } from '../../../base/errors.js'
import { isRecord } from '../../../base/is.js'
import type { DType } from '../../../formats/dtype.js'
import type { VectorSchema } from '../../sink.js'
import type { FoundStore, StoreState } from '../shared/identity.js'
import { columnsOf, type GivenColumn } from './columns.js'
import type { Connection } from './connection.js'
import type { PgNames } from './options.js'

/** What a table says of its vectors, in the comment of the column `embedding`. */
export interface VectorFacts {
  model?: string
  dtype?: DType
  dim?: number
}

/** Looks at what is there, without changing it. */
export async function inspectTables(
  connection: Connection,
  names: PgNames,
  place: string,
): Promise<FoundStore> {
  const { table, facts } = names
  const { rows } = await connection.query(
    'SELECT to_regclass($1) IS NOT NULL AS exists, to_regclass($2) IS NOT NULL AS told',
    [table, facts],
  )
  const { exists, told } = rows[0] as { exists: boolean; told: boolean }
  const records = exists ? await countRows(connection, table) : 0
  return { place, exists, records, state: told ? await readState(connection, facts) : undefined }
}

/**
 * Checks that an empty table which is there can take the records.
 *
 * @throws MillraceError SINK_FAILED, with what does not fit.
 */
export async function checkTable(
  connection: Connection,
  { table }: PgNames,
  place: string,
  columns: readonly GivenColumn[],
): Promise<void> {
  const { rows } = await connection.query(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
     WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    [table],
  )
  if (rows.length === 0) return
  const there = new Map(rows.map((row) => [String(row['name']), String(row['type'])]))
  const wrong = columns.filter(
    ({ name, type }) => there.get(name) !== type.replace(/ (NOT NULL|PRIMARY KEY)$/, ''),
  )
  if (wrong.length === 0) return
  const list = wrong.map(({ name, type }) => `${name} ${type}`).join(', ')
  throw new MillraceError('SINK_FAILED', `${place} lacks the columns ${list}: choose another table`)
}

/** Makes what is not there, in the transaction under way. */
export async function makeTables(
  connection: Connection,
  { table, facts, byDocument }: PgNames,
  schema: VectorSchema,
): Promise<void> {
  const columns = columnsOf(schema).map(({ name, type }) => `${name} ${type}`)
  await connection.query(`CREATE TABLE IF NOT EXISTS ${table} (${columns.join(', ')})`)
  await connection.query(`CREATE INDEX IF NOT EXISTS ${byDocument} ON ${table} (document_id)`)
  await connection.query(`CREATE TABLE IF NOT EXISTS ${facts} (name text PRIMARY KEY, value text NOT NULL)`)
  if (schema.dense === undefined) return
  const { model, dim, dtype } = schema.dense
  const said = JSON.stringify({ model, dim, dtype } satisfies VectorFacts).replaceAll("'", "''")
  await connection.query(`COMMENT ON COLUMN ${table}.embedding IS '${said}'`)
}

/** Writes the state, in the transaction of the records that it counts. */
export async function writeState(
  connection: Connection,
  { facts }: PgNames,
  { token, records, revision = 0 }: StoreState,
): Promise<void> {
  await connection.query(
    `INSERT INTO ${facts} VALUES ('store', $1), ('records', $2), ('revision', $3)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    [token, String(records), String(revision)],
  )
}

/**
 * What the table says of its dense vectors.
 *
 * @throws MillraceError SINK_FAILED where there is no table or it has none.
 */
export async function readVectorFacts(
  connection: Connection,
  { table }: PgNames,
  place: string,
): Promise<VectorFacts> {
  const { rows } = await connection.query(
    `SELECT to_regclass($1) IS NOT NULL AS exists, (
       SELECT json_build_object('facts', col_description(attrelid, attnum)) FROM pg_attribute
       WHERE attrelid = to_regclass($1) AND attname = 'embedding' AND NOT attisdropped) AS embedding`,
    [table],
  )
  const { exists, embedding } = rows[0] as { exists: boolean; embedding: { facts: string | null } | null }
  if (!exists) throw new MillraceError('SINK_FAILED', `There is no table ${table}`)
  if (embedding === null) throw new MillraceError('SINK_FAILED', `${place} has no dense vectors`)
  const facts: unknown = JSON.parse(embedding.facts ?? '{}')
  return isRecord(facts) ? facts : {}
}

async function readState(connection: Connection, facts: string): Promise<StoreState | undefined> {
  const { rows } = await connection.query(`SELECT name, value FROM ${facts}`)
  const found = new Map(rows.map((row) => [row['name'], String(row['value'])]))
  const token = found.get('store')
  if (token === undefined) return undefined
  return { token, records: Number(found.get('records')), revision: Number(found.get('revision')) }
}

async function countRows(connection: Connection, table: string): Promise<number> {
  const { rows } = await connection.query(`SELECT count(*) AS count FROM ${table}`)
  return Number(rows[0]?.['count'])
}
