/** LanceDB, embedded: a table of records that can be added to and replaced. Needs the package @lancedb/lancedb. Searching is in `search.ts`. */

import { MillraceError } from '../../../base/errors.js'
import type { JsonValue } from '../../document.js'
import type { RecordBatch } from '../../record.js'
import type { Sink, SinkContext } from '../../sink.js'
import {
  checkpointOf,
  checkStore,
  type FoundStore,
  NO_TOKEN,
  newState,
  type StoreState,
} from '../shared/identity.js'
import { ArrowTables } from './arrow-tables.js'
import { arrowOfLanceDb, importLanceDb, type LanceConnection, type LanceTable } from './driver.js'
import { type LanceDbPlan, type LanceDbSinkOptions, parseLanceDbSink, placeOf } from './options.js'

/** Documents that one predicate names: parsers are not made for endless ones. */
const REMOVED_AT_ONCE = 200

/** Every commit adds a fragment; searching and reading slow down with many. */
const COMMITS_BETWEEN_OPTIMIZE = 64

/** Below it, LanceDB's own advice is to search all: exact, and some milliseconds. */
const INDEX_FROM_ROWS = 100_000

/** Where the token of the store is: in the metadata of the table's schema. */
const TOKEN = 'millrace.store'

const USER = 'The sink lancedb'

/**
 * Writes records into a table of LanceDB: `id`, `document_id`, `chunk`, `text`, `start`, `end`, `tokens`, `headings` and `metadata`
 * (JSON), `vector`, and `sparse_indices` with `sparse_values`. Vectors may be float32, float16 or bits.
 *
 * @example
 * const sink = lanceDbSink({ uri: './db', table: 'docs', metadataColumns: { year: 'int32' } })
 */
export function lanceDbSink(options: LanceDbSinkOptions): Sink {
  return new LanceDbSink(parseLanceDbSink(options))
}

class LanceDbSink implements Sink {
  readonly name = 'lancedb'
  readonly journalPath: string | undefined
  readonly #plan: LanceDbPlan
  #connection: LanceConnection | undefined
  #table: LanceTable | undefined
  #tables: ArrowTables | undefined
  #signal: AbortSignal | undefined
  #token = NO_TOKEN
  #commits = 0
  /** Something was written or removed in this run. */
  #wrote = false

  constructor(plan: LanceDbPlan) {
    this.#plan = plan
    const { uri, table } = plan
    // A database elsewhere (s3://…) has no place for a journal.
    this.journalPath = /^[a-z][a-z0-9+]+:\/\//i.test(uri) ? undefined : `${uri}/${table}.journal`
  }

  async open(context: SinkContext): Promise<void> {
    const { uri, table, metadataColumns, existing } = this.#plan
    const { connect } = await importLanceDb(USER)
    const fresh = newState()
    const tables = new ArrowTables(arrowOfLanceDb(USER), context.schema, metadataColumns, {
      [TOKEN]: fresh.token,
    })
    this.#tables = tables
    this.#signal = context.signal
    this.#wrote = false
    this.#connection = await connect(uri)
    const found = await this.#inspect(this.#connection)
    checkStore(found, context, existing === 'overwrite')
    if (found.exists && !(context.checkpoint === undefined && existing === 'overwrite')) {
      await this.#checkColumns(tables)
      this.#token = found.state?.token ?? NO_TOKEN
      return
    }
    this.#table?.close()
    this.#table = await this.#connection.createEmptyTable(table, tables.schema, { mode: 'overwrite' })
    this.#token = fresh.token
  }

  async remove(documentIds: readonly string[]): Promise<void> {
    for (let from = 0; from < documentIds.length; from += REMOVED_AT_ONCE) {
      const ids = documentIds.slice(from, from + REMOVED_AT_ONCE).map(literal)
      await this.#open().delete(`document_id IN (${ids.join(', ')})`)
    }
    this.#wrote = true
  }

  async write(batch: RecordBatch): Promise<void> {
    if (batch.records.length === 0) return
    await this.#open().add(this.#tables?.table(batch))
    this.#wrote = true
  }

  async commit(): Promise<JsonValue> {
    // Each call above was a version of its own, on the disk when it resolved.
    this.#commits++
    if (this.#commits % COMMITS_BETWEEN_OPTIMIZE === 0) await this.#open().optimize()
    return checkpointOf({ token: this.#token, records: await this.#open().countRows() })
  }

  async close(): Promise<void> {
    const table = this.#table
    this.#table = undefined
    try {
      if (table !== undefined && this.#wrote && this.#signal?.aborted !== true) await this.#finish(table)
    } finally {
      table?.close()
      this.#connection?.close()
      this.#connection = undefined
    }
  }

  /** Looks at what is there, and opens it if it is. */
  async #inspect(connection: LanceConnection): Promise<FoundStore> {
    const place = placeOf(this.#plan)
    const names = await connection.tableNames()
    if (!names.includes(this.#plan.table)) return { place, exists: false, records: 0, state: undefined }
    this.#table = await connection.openTable(this.#plan.table)
    const records = await this.#table.countRows()
    const token = (await this.#table.schema()).metadata.get(TOKEN)
    // A table that others made cannot be given a token.
    const state: StoreState = { token: token ?? NO_TOKEN, records }
    return { place, exists: true, records, state, isShared: this.#plan.existing === 'append' }
  }

  async #finish(table: LanceTable): Promise<void> {
    await table.optimize()
    const { fields } = await table.schema()
    const hasVectors = fields.some(({ name }) => name === 'vector')
    if (!this.#plan.index || !hasVectors || (await table.countRows()) < INDEX_FROM_ROWS) return
    // An index that is there was brought up to date by `optimize`.
    const indexed = (await table.listIndices()).some(({ columns }) => columns.includes('vector'))
    if (!indexed) await table.createIndex('vector')
  }

  async #checkColumns(tables: ArrowTables): Promise<void> {
    const { fields } = await this.#open().schema()
    const there = fields.map(({ name, type }) => `${name}: ${String(type)}`)
    const own = tables.schema as { fields: typeof fields }
    const wanted = own.fields.map(({ name, type }) => `${name}: ${String(type)}`)
    const missing = wanted.filter((column) => !there.includes(column))
    if (missing.length === 0) return
    throw new MillraceError(
      'SINK_FAILED',
      `${placeOf(this.#plan)} lacks ${missing.join(', ')}: it has ${there.join(', ')}`,
    )
  }

  #open(): LanceTable {
    if (this.#table === undefined) throw new MillraceError('CLOSED', 'The sink lancedb is not open')
    return this.#table
  }
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
