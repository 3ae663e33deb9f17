/** Searching in a table that the PostgreSQL sink made. */

import { signal } from '../../../options/call.js'
import { parseOptions } from '../../../options/check.js'
import type { SearchableStore } from '../../sink.js'
import { requireOne } from '../shared/place.js'
import {
  hitOf,
  parseSearch,
  type SearchCall,
  searching,
  similarityOfBits,
  storeFailure,
} from '../shared/search.js'
import { Approximation } from './approximation.js'
import { formatOf } from './columns.js'
import { Connection } from './connection.js'
import { namesOf, type PgSearchOptions, pgPlaceChecks, placeOf } from './options.js'
import { readVectorFacts, type VectorFacts } from './tables.js'

type Row = Record<string, unknown>

/**
 * Opens a table that {@link pgVectorSink} made, for search. As many records come as were asked for, also with an index.
 *
 * @throws MillraceError SINK_FAILED where there is no such table, no dense vectors in it, or no server; PACKAGE_NOT_FOUND; or `signal.reason`.
 */
export async function openPgVector(options: PgSearchOptions): Promise<SearchableStore> {
  const { signal: stop, ...where } = parseOptions<PgSearchOptions>('openPgVector', options, {
    ...pgPlaceChecks,
    signal,
  })
  requireOne(where, 'connectionString', 'client')
  const names = namesOf(where)
  const place = placeOf(where)
  const connection = await Connection.open(where, 'openPgVector', stop)
  let facts: VectorFacts
  let index: Approximation | undefined
  try {
    facts = await searching(place, stop, () => readVectorFacts(connection, names, place))
    index = await searching(place, stop, () => Approximation.find(connection, names.table))
  } catch (error) {
    await connection.end()
    throw storeFailure(place, 'cannot be read', error)
  }
  const { distance, type, isBits } = formatOf(facts.dtype ?? 'float32')
  // One search at a time: with an index it is several statements, and they must not mingle on the one connection.
  let turn: Promise<unknown> = Promise.resolve()

  const nearest = async ({ query, limit }: SearchCall): Promise<Row[]> => {
    const given = isBits ? Array.from(query, (value) => (value > 0 ? 1 : 0)).join('') : `[${query.join(',')}]`
    const cast = isBits ? `bit(${query.length})` : type
    const statement = `SELECT id, document_id, chunk, text, start_at AS start, end_at AS "end", headings, metadata,
       embedding ${distance} $1::${cast} AS distance FROM ${names.table} ORDER BY embedding ${distance} $1::${cast} LIMIT $2`
    const run = async () => (await connection.query(statement, [given, limit])).rows
    return index === undefined ? run() : index.search(run, limit)
  }

  return {
    model: async () => facts.model,
    async search(query, options) {
      const call = parseSearch(place, facts.dim, query, options)
      const found = turn.then(() => nearest(call))
      turn = found.catch(() => {})
      const rows = await searching(place, call.signal, () => found)
      // An index that looks on gives what it finds later behind what is farther away.
      rows.sort((a, b) => Number(a['distance']) - Number(b['distance']))
      return rows.map((row) => {
        const distance = Number(row['distance'])
        return hitOf(row, isBits ? similarityOfBits(distance, call.query.length) : 1 - distance)
      })
    },
    close: () => connection.end(),
  }
}
