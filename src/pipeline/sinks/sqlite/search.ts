/** Searching in the tables that the SQLite sink made. It reads only, and makes no file. */

import { stat } from 'node:fs/promises'
import { isMissing } from '../../../base/durable.js'
import { MillraceError } from '../../../base/errors.js'
import { parseOptions } from '../../../options/check.js'
import type { SearchableStore } from '../../sink.js'
import { requireOne } from '../shared/place.js'
import { hitOf, parseSearch, searching, similarityOfBits, storeFailure } from '../shared/search.js'
import { loadVectors, openDatabase, type SqliteDatabase } from './driver.js'
import { placeOf, type SqliteOptions, sqlitePlaceChecks } from './options.js'
import { definitionOf, readFacts, type Tables, tablesOf } from './tables.js'
import { queryBytes, vectorParameter } from './values.js'

const USER = 'openSqlite'

/** sqlite-vec's own search takes no greater limit; beyond it all rows are compared, as that search does too. */
const MOST_NEIGHBOURS = 4096

/**
 * Opens what {@link sqliteSink} made, for search. The file is opened for reading only.
 *
 * @throws MillraceError SINK_FAILED where there is no such file or table, no dense vectors in it, or where it cannot be read, with the driver's error
 * as `cause`; PACKAGE_NOT_FOUND.
 */
export async function openSqlite(options: SqliteOptions): Promise<SearchableStore> {
  const checked = parseOptions<SqliteOptions>('openSqlite', options, sqlitePlaceChecks)
  requireOne(checked, 'path', 'database')
  const { database, table = 'documents' } = checked
  const place = placeOf(checked)
  const db = await connect(checked)
  const close = () => {
    if (database === undefined) db.close()
  }
  try {
    const facts = read(db, table, place)
    const format = facts.get('format') ?? 'float32'
    const dim = Number(facts.get('dim'))
    const search = statementOf(db, tablesOf(table), format)
    return {
      model: async () => facts.get('model'),
      async search(query, options) {
        const call = parseSearch(place, dim, query, options)
        return searching(place, call.signal, async () => {
          const rows = search(queryBytes(call.query, format), call.limit)
          return rows.map((row) => {
            const distance = Number(row['distance'])
            return hitOf(row, format === 'ubinary' ? similarityOfBits(distance, dim) : 1 - distance)
          })
        })
      },
      async close() {
        close()
      },
    }
  } catch (cause) {
    close()
    throw storeFailure(place, 'cannot be read', cause)
  }
}

async function connect({ path, database }: SqliteOptions): Promise<SqliteDatabase> {
  if (database !== undefined) {
    await loadVectors(database, USER)
    return database
  }
  const file = path as string
  try {
    await stat(file)
    return await openDatabase(file, 'read', USER)
  } catch (cause) {
    if (isMissing(cause)) throw new MillraceError('SINK_FAILED', `There is no file ${file}`, { cause })
    throw storeFailure(`The file ${file}`, 'cannot be opened', cause)
  }
}

/** The facts of a store that has dense vectors. */
function read(db: SqliteDatabase, table: string, place: string): Map<string, string> {
  if (definitionOf(db, `${table}_facts`) === undefined || definitionOf(db, table) === undefined) {
    throw new MillraceError('SINK_FAILED', `${place} is not there, or nothing that sqliteSink made`)
  }
  if (definitionOf(db, `${table}_vectors`) === undefined) {
    throw new MillraceError('SINK_FAILED', `${place} has no dense vectors`)
  }
  return readFacts(db, tablesOf(table))
}

type Search = (query: Uint8Array, limit: number) => Record<string, unknown>[]

function statementOf(db: SqliteDatabase, { records, vectors }: Tables, format: string): Search {
  const query = vectorParameter(format)
  const select = (found: string) =>
    `SELECT r.*, v.distance FROM (${found}) v JOIN ${records} r ON r.rowid = v.rowid ORDER BY v.distance, r.rowid`
  const nearest = db.prepare(
    select(`SELECT rowid, distance FROM ${vectors} WHERE embedding MATCH ${query} AND k = ?`),
  )
  const distance = format === 'ubinary' ? 'vec_distance_hamming' : 'vec_distance_cosine'
  const all = () =>
    db.prepare(
      select(
        `SELECT rowid, ${distance}(embedding, ${query}) AS distance FROM ${vectors} ORDER BY distance, rowid LIMIT ?`,
      ),
    )
  return (bytes, limit) =>
    (limit <= MOST_NEIGHBOURS ? nearest : all()).all(bytes, limit) as Record<string, unknown>[]
}
