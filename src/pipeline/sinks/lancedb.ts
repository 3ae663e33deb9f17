/** LanceDB, embedded: a table of records that can be searched, added to and replaced. Needs the package @lancedb/lancedb. */

import { invalidOption, MillraceError } from '../../base/errors.js'
import { isRecord } from '../../base/is.js'
import { boolean, type Check, nonEmptyString, oneOf, parseOptions } from '../../options/check.js'
import { importPeer, peerOf } from '../../peers/peer.js'
import type { JsonValue } from '../document.js'
import type { RecordBatch } from '../record.js'
import type { SearchableStore, Sink, SinkContext, StoreHit } from '../sink.js'
import { type Arrow, ArrowTables, type MetadataColumnType } from './lancedb-table.js'

/** Options of {@link lanceDbSink}. */
export interface LanceDbSinkOptions {
  /** Directory of the database. */
  uri: string
  table: string
  /**
   * Metadata that get a column of their own, for filters (`where: "year > 2020"`); a value of another type is null there. All of it is in
   * the column `metadata` as JSON anyway. @default none
   */
  metadataColumns?: Readonly<Record<string, MetadataColumnType>> | undefined
  /**
   * What happens to a table that is there and that no journal knows: `refuse` unless it is empty, `append`, or `overwrite`.
   * @default 'refuse'
   */
  existing?: 'refuse' | 'append' | 'overwrite' | undefined
  /** Whether an approximate index is made or brought up to date at the end of a run, from 100,000 records on. @default true */
  index?: boolean | undefined
}

/** Options of {@link openLanceDb}. */
export interface LanceDbOptions {
  /** Directory of the database. */
  uri: string
  table: string
}

interface LanceTable {
  add(data: unknown): Promise<unknown>
  delete(predicate: string): Promise<unknown>
  countRows(filter?: string): Promise<number>
  version(): Promise<number>
  optimize(): Promise<unknown>
  schema(): Promise<{ fields: { name: string; type: unknown }[]; metadata: Map<string, string> }>
  createIndex(column: string): Promise<void>
  listIndices(): Promise<{ columns: string[] }[]>
  vectorSearch(vector: Float32Array | number[]): LanceQuery
  close(): void
}

interface LanceQuery {
  distanceType(type: string): LanceQuery
  limit(n: number): LanceQuery
  where(predicate: string): LanceQuery
  select(columns: string[]): LanceQuery
  toArray(): Promise<Record<string, unknown>[]>
}

interface LanceConnection {
  tableNames(): Promise<string[]>
  openTable(name: string): Promise<LanceTable>
  createEmptyTable(name: string, schema: unknown, options?: object): Promise<LanceTable>
  close(): void
}

interface LanceDb {
  connect(uri: string): Promise<LanceConnection>
}

/** Documents that one predicate names: parsers are not made for endless ones. */
const REMOVED_AT_ONCE = 200

/** Every commit adds a fragment; searching and reading slow down with many. */
const COMMITS_BETWEEN_OPTIMIZE = 64

/** Below it, LanceDB's own advice is to search all: exact, and some milliseconds. */
const INDEX_FROM_ROWS = 100_000

const LANCEDB = '~0.22.3'
const ARROW = '18.1.0'

const metadataColumns: Check<Readonly<Record<string, MetadataColumnType>>> = (name, value) => {
  const types = ['string', 'int32', 'float64', 'boolean']
  if (!isRecord(value) || Object.values(value).some((type) => !types.includes(type as string))) {
    throw invalidOption(name, `object of column names, each with one of ${types.join(', ')}`, value)
  }
  return value as Record<string, MetadataColumnType>
}

/**
 * Writes records into a table of LanceDB: `id`, `document_id`, `chunk`, `text`, `start`, `end`, `tokens`, `headings` and `metadata`
 * (JSON), `vector`, and `sparse_indices` with `sparse_values`. Vectors may be float32, float16 or bits.
 *
 * @example
 * const sink = lanceDbSink({ uri: './db', table: 'docs', metadataColumns: { year: 'int32' } })
 */
export function lanceDbSink(options: LanceDbSinkOptions): Sink {
  const checked = parseOptions<LanceDbSinkOptions>('lanceDbSink', options, {
    uri: nonEmptyString,
    table: nonEmptyString,
    metadataColumns,
    existing: oneOf('refuse', 'append', 'overwrite'),
    index: boolean,
  })
  const { uri, table, metadataColumns: columns = {}, existing = 'refuse', index = true } = checked
  return new LanceDbSink(nonEmptyString('uri', uri), nonEmptyString('table', table), columns, existing, index)
}

class LanceDbSink implements Sink {
  readonly name = 'lancedb'
  readonly journalPath: string | undefined
  readonly #uri: string
  readonly #tableName: string
  readonly #columns: Readonly<Record<string, MetadataColumnType>>
  readonly #existing: 'refuse' | 'append' | 'overwrite'
  readonly #index: boolean
  #connection: LanceConnection | undefined
  #table: LanceTable | undefined
  #tables: ArrowTables | undefined
  #commits = 0
  #wrote = false

  constructor(
    uri: string,
    table: string,
    columns: Readonly<Record<string, MetadataColumnType>>,
    existing: 'refuse' | 'append' | 'overwrite',
    index: boolean,
  ) {
    this.#uri = uri
    this.#tableName = table
    this.#columns = columns
    this.#existing = existing
    this.#index = index
    // A database elsewhere (s3://…) has no place for a journal.
    this.journalPath = /^[a-z][a-z0-9+]+:\/\//i.test(uri) ? undefined : `${uri}/${table}.journal`
  }

  async open({ schema, checkpoint }: SinkContext): Promise<void> {
    const { connect } = await lancedb()
    const arrow = peerOf<Arrow>('@lancedb/lancedb', 'apache-arrow', ARROW, 'The sink lancedb')
    this.#tables = new ArrowTables(arrow, schema, this.#columns)
    this.#connection = await connect(this.#uri)
    const isThere = (await this.#connection.tableNames()).includes(this.#tableName)
    const overwrite = checkpoint === undefined && this.#existing === 'overwrite'
    if (!isThere || overwrite) {
      if (checkpoint !== undefined) {
        throw new MillraceError(
          'SINK_FAILED',
          `The table ${this.#tableName} in ${this.#uri} is gone, but its journal is there`,
        )
      }
      const mode = { mode: 'overwrite' }
      this.#table = await this.#connection.createEmptyTable(this.#tableName, this.#tables.schema, mode)
      return
    }
    this.#table = await this.#connection.openTable(this.#tableName)
    await this.#checkColumns()
    if (checkpoint !== undefined || this.#existing === 'append') return
    if ((await this.#table.countRows()) > 0) {
      throw new MillraceError(
        'SINK_FAILED',
        `The table ${this.#tableName} in ${this.#uri} has rows, and no journal says which: choose another, or existing: 'append' or 'overwrite'`,
      )
    }
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
    return { version: await this.#open().version() }
  }

  async close(): Promise<void> {
    const table = this.#table
    this.#table = undefined
    try {
      if (table !== undefined && this.#wrote) await this.#finish(table)
    } finally {
      table?.close()
      this.#connection?.close()
      this.#connection = undefined
    }
  }

  async #finish(table: LanceTable): Promise<void> {
    await table.optimize()
    const { fields } = await table.schema()
    const hasVectors = fields.some(({ name }) => name === 'vector')
    if (!this.#index || !hasVectors || (await table.countRows()) < INDEX_FROM_ROWS) return
    // An index that is there was brought up to date by `optimize`.
    const indexed = (await table.listIndices()).some(({ columns }) => columns.includes('vector'))
    if (!indexed) await table.createIndex('vector')
  }

  async #checkColumns(): Promise<void> {
    const { fields } = await this.#open().schema()
    const there = fields.map(({ name, type }) => `${name}: ${String(type)}`)
    const own = (this.#tables as ArrowTables).schema as { fields: typeof fields }
    const wanted = own.fields.map(({ name, type }) => `${name}: ${String(type)}`)
    const missing = wanted.filter((column) => !there.includes(column))
    if (missing.length === 0) return
    throw new MillraceError(
      'SINK_FAILED',
      `The table ${this.#tableName} in ${this.#uri} lacks ${missing.join(', ')}: it has ${there.join(', ')}`,
    )
  }

  #open(): LanceTable {
    if (this.#table === undefined) throw new MillraceError('CLOSED', 'The sink lancedb is not open')
    return this.#table
  }
}

/**
 * Opens a table that {@link lanceDbSink} made, for search.
 *
 * @throws MillraceError SINK_FAILED where there is none; PACKAGE_NOT_FOUND.
 */
export async function openLanceDb(
  options: LanceDbOptions,
): Promise<Omit<SearchableStore, 'search'> & { search: LanceDbSearch }> {
  const { uri, table: name } = parseOptions<LanceDbOptions>('openLanceDb', options, {
    uri: nonEmptyString,
    table: nonEmptyString,
  })
  const { connect } = await lancedb()
  const connection = await connect(nonEmptyString('uri', uri))
  let table: LanceTable
  try {
    table = await connection.openTable(nonEmptyString('table', name))
  } catch (cause) {
    connection.close()
    throw new MillraceError('SINK_FAILED', `There is no table ${name} in ${uri}`, { cause })
  }
  const { metadata } = await table.schema()
  const bits = ['binary', 'ubinary'].includes(metadata.get('millrace.dtype') ?? '')
  return {
    model: async () => metadata.get('millrace.model') || undefined,
    async search(query, { limit = 10, where } = {}) {
      const vector = bits ? bitsOf(query) : query
      let found = table
        .vectorSearch(vector as Float32Array)
        .distanceType(bits ? 'hamming' : 'cosine')
        .limit(limit)
      if (where !== undefined) found = found.where(where)
      const rows = await found
        .select(['id', 'document_id', 'text', 'headings', 'metadata', '_distance'])
        .toArray()
      // Bits that differ are an angle: half of them is a right one.
      const scoreOf = (distance: number) =>
        bits ? Math.cos((Math.PI * distance) / query.length) : 1 - distance
      return rows.map((row) => hitOf(row, scoreOf(Number(row['_distance']))))
    },
    async close() {
      table.close()
      connection.close()
    },
  }
}

/** Search in LanceDB: `where` is a filter in its SQL. */
export type LanceDbSearch = (
  query: Float32Array,
  options?: { limit?: number | undefined; where?: string | undefined },
) => Promise<StoreHit[]>

function lancedb(): Promise<LanceDb> {
  return importPeer<LanceDb>('@lancedb/lancedb', LANCEDB, 'The sink lancedb')
}

function hitOf(row: Record<string, unknown>, score: number): StoreHit {
  return {
    id: String(row['id']),
    documentId: String(row['document_id']),
    text: String(row['text']),
    headings: JSON.parse(String(row['headings'])) as string[],
    metadata: JSON.parse(String(row['metadata'])) as Record<string, JsonValue>,
    score,
  }
}

/** The sign bits of a vector, as `ubinary` has them. */
function bitsOf(vector: Float32Array): number[] {
  const bytes = new Array<number>(Math.ceil(vector.length / 8)).fill(0)
  for (const [i, value] of vector.entries()) {
    if (value > 0) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (0x80 >> (i & 7))
  }
  return bytes
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
