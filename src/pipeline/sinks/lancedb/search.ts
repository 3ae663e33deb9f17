/** Searching in a table that the LanceDB sink made. */

import { MillraceError } from '../../../base/errors.js'
import { type Check, string } from '../../../options/check.js'
import type { SearchableStore, StoreHit, StoreSearchOptions } from '../../sink.js'
import { hitOf, parseSearch, searching, signBits, similarityOfBits, storeFailure } from '../shared/search.js'
import { importLanceDb, type LanceConnection, type LanceTable } from './driver.js'
import { type LanceDbOptions, parseLanceDb, placeOf } from './options.js'

/** Options of a search in LanceDB. */
export interface LanceDbSearchOptions extends StoreSearchOptions {
  /** A filter in LanceDB's SQL: `year > 2020`. */
  where?: string | undefined
}

/** Search in LanceDB. */
export type LanceDbSearch = (
  query: Float32Array | readonly number[],
  options?: LanceDbSearchOptions,
) => Promise<StoreHit[]>

const COLUMNS = ['id', 'document_id', 'chunk', 'text', 'start', 'end', 'headings', 'metadata', '_distance']

/**
 * Opens a table that {@link lanceDbSink} made, for search.
 *
 * @throws MillraceError SINK_FAILED where there is none, or no dense vectors in it; PACKAGE_NOT_FOUND.
 */
export async function openLanceDb(
  options: LanceDbOptions,
): Promise<Omit<SearchableStore, 'search'> & { search: LanceDbSearch }> {
  const where = parseLanceDb(options)
  const place = placeOf(where)
  const { connect } = await importLanceDb('openLanceDb')
  let connection: LanceConnection | undefined
  let table: LanceTable
  let facts: VectorFacts
  try {
    connection = await connect(where.uri)
    table = await open(connection, where)
    facts = await vectorFacts(table, place)
  } catch (cause) {
    connection?.close()
    throw storeFailure(place, 'cannot be read', cause)
  }
  const { model, dim, isBits } = facts
  const close = () => {
    table.close()
    connection.close()
  }
  return {
    model: async () => model,
    async search(query, { where, ...options } = {}) {
      const call = parseSearch(place, dim, query, options)
      const filter = where === undefined ? undefined : (string as Check<string>)('where', where)
      return searching(place, call.signal, async () => {
        const vector = isBits ? Array.from(signBits(call.query)) : call.query
        let found = table
          .vectorSearch(vector as Float32Array)
          .distanceType(isBits ? 'hamming' : 'cosine')
          .limit(call.limit)
        if (filter !== undefined) found = found.where(filter)
        const rows = await found.select(COLUMNS).toArray()
        return rows.map((row) => {
          const distance = Number(row['_distance'])
          return hitOf(row, isBits ? similarityOfBits(distance, call.query.length) : 1 - distance)
        })
      })
    },
    async close() {
      close()
    },
  }
}

async function open(connection: LanceConnection, { uri, table }: LanceDbOptions): Promise<LanceTable> {
  try {
    return await connection.openTable(table)
  } catch (cause) {
    // The driver has no code for it, and other failures must not be told as this one.
    if ((await connection.tableNames()).includes(table)) throw cause
    throw new MillraceError('SINK_FAILED', `There is no table ${table} in ${uri}`, { cause })
  }
}

/** What the table says of its vectors. */
interface VectorFacts {
  model: string | undefined
  dim: number | undefined
  isBits: boolean
}

async function vectorFacts(table: LanceTable, place: string): Promise<VectorFacts> {
  const { metadata, fields } = await table.schema()
  if (!fields.some(({ name }) => name === 'vector')) {
    throw new MillraceError('SINK_FAILED', `${place} has no dense vectors`)
  }
  return {
    model: metadata.get('millrace.model') || undefined,
    dim: Number(metadata.get('millrace.dim')) || undefined,
    isBits: ['binary', 'ubinary'].includes(metadata.get('millrace.dtype') ?? ''),
  }
}
