/** PostgreSQL with pgvector, for real: what sinks must do, formats, indexes, search. */
import { createServer } from 'node:net'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPgVector, pgVectorSink } from '../../index.js'
import type { Stored } from '../pipeline/support.js'
import { batchOf, conforms, records, SCHEMA } from './conformance.js'
import { finds } from './found-texts.js'
import { searches } from './searches.js'

let tables = 0

describe('pgVectorSink', () => {
  let server: PGLiteSocketServer
  let database: PGlite
  let connectionString: string

  beforeAll(async () => {
    database = await PGlite.create({ extensions: { vector } })
    const port = await freePort()
    server = new PGLiteSocketServer({ db: database, port, host: '127.0.0.1' })
    await server.start()
    connectionString = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`
  })
  afterAll(async () => {
    await server.stop()
    await database.close()
  })

  it('says what to do without the extension', async () => {
    const sink = pgVectorSink({ connectionString })
    await expect(sink.open({ schema: SCHEMA })).rejects.toThrow(/CREATE EXTENSION vector/)
    await sink.close()
    await database.exec('CREATE EXTENSION vector')
  })

  conforms({
    place: async () => `table ${tables++} "q"`,
    make: (table) => pgVectorSink({ connectionString, table }),
    removes: true,
    // PostgreSQL has UTF-8 only, and no NUL in it.
    keeps: { halves: false, nul: false },
    async wipe(table) {
      await database.exec(`DROP TABLE ${quoted(table)}`)
    },
    async damage(table) {
      await database.exec(`DELETE FROM ${quoted(table)} WHERE document_id = 'a'`)
    },
    async look(table) {
      const { rows } = await database.query(
        `SELECT relname, relkind, obj_description(oid) AS said, (SELECT array_agg(col_description(oid, n)) FROM generate_series(1, relnatts) n) AS columns
         FROM pg_class WHERE starts_with(relname, $1) ORDER BY relname`,
        [table],
      )
      const isThere = (rows as { relname: string }[]).some(({ relname }) => relname === table)
      return [
        rows,
        isThere ? (await database.query(`SELECT id FROM ${quoted(table)} ORDER BY id`)).rows : null,
      ]
    },
    async read(table) {
      const client = new pg.Client({ connectionString })
      await client.connect()
      const { rows } = await client.query(`SELECT * FROM "${table.replaceAll('"', '""')}"`)
      await client.end()
      return rows.map(
        (row): Stored => ({
          id: row.id,
          documentId: row.document_id,
          chunk: row.chunk,
          text: row.text,
          start: row.start_at,
          end: row.end_at,
          tokens: row.tokens,
          headings: row.headings,
          metadata: row.metadata,
          dense: [...Float32Array.from(JSON.parse(row.embedding))],
          sparse: row.sparse_indices.map((index: string, i: number): [number, number] => [
            Number(index),
            row.sparse_values[i],
          ]),
        }),
      )
    },
  })

  it.each(['float32', 'float16', 'int8', 'ubinary', 'binary'] as const)(
    'holds %s and finds',
    async (dtype) => {
      const table = `docs_${dtype}`
      const sink = pgVectorSink({ connectionString, table, index: 'hnsw' })
      await finds(sink, () => openPgVector({ connectionString, table }), dtype)
    },
  )

  searches({
    place: async () => `table ${tables++} s`,
    make: (table) => pgVectorSink({ connectionString, table }),
    open: (table) => openPgVector({ connectionString, table }),
  })

  // pgvector/pgvector#684, #480, #912: an approximate index gives fewer rows than were asked for.
  describe.each(['hnsw', 'ivfflat'] as const)('with an index of the kind %s', (index) => {
    searches({
      place: async () => `table ${tables++} ${index}`,
      make: (table) => pgVectorSink({ connectionString, table, index }),
      open: (table) => openPgVector({ connectionString, table }),
    })
  })

  it('answers several searches at once on one connection', async () => {
    const table = `table ${tables++}`
    const sink = pgVectorSink({ connectionString, table, index: 'hnsw' })
    await sink.open({ schema: SCHEMA })
    await sink.write(batchOf(Array.from({ length: 300 }, (_, i) => records(`d${i}`, ['x'], i)).flat()))
    await sink.commit()
    await sink.close()
    const store = await openPgVector({ connectionString, table })
    const query = new Float32Array(16).fill(1)
    const found = await Promise.all([200, 3, 100].map((limit) => store.search(query, { limit })))
    expect(found.map(({ length }) => length)).toEqual([200, 3, 100])
    await store.close()
  })

  it('takes names up to the limit of PostgreSQL, with all that belongs to a table', async () => {
    const table = `${'n'.repeat(61)}ü`
    const sink = pgVectorSink({ connectionString, table, index: 'hnsw' })
    await sink.open({ schema: SCHEMA })
    await sink.write(batchOf(records('a', ['x'])))
    await sink.commit()
    await sink.close()
    const { rows } = await database.query(
      `SELECT indexname FROM pg_indexes WHERE tablename = $1 ORDER BY indexname`,
      [table],
    )
    const names = (rows as { indexname: string }[]).map(({ indexname }) => indexname)
    expect(names).toHaveLength(3)
    expect(names.filter((name) => name.endsWith('_by_document') || name.endsWith('_hnsw'))).toHaveLength(2)
    expect(() => pgVectorSink({ connectionString, table: 'n'.repeat(64) })).toThrow(/63 bytes/)
  })

  it('takes a client of the caller, and rolls back what was not committed', async () => {
    const client = new pg.Client({ connectionString })
    await client.connect()
    const sink = pgVectorSink({ client, table: 'mine' })
    await sink.open({ schema: { sparse: { model: 's', idf: false } } })
    const record = {
      id: 'a',
      documentId: 'a',
      chunk: 0,
      text: 'nul \u0000 and \ud800',
      start: 0,
      end: 1,
      tokens: 1,
    }
    const sparse = {
      indices: Uint32Array.of(9, 4),
      values: Float32Array.of(0.5, 0.25),
      rowOffsets: Uint32Array.of(0, 2),
    }
    await sink.write({ records: [{ ...record, headings: [], metadata: {} }], sparse })
    await sink.commit()
    await sink.write({ records: [{ ...record, id: 'b', headings: [], metadata: {} }], sparse })
    await sink.close()
    const { rows } = await client.query('SELECT id, text, sparse FROM mine')
    expect(rows).toEqual([{ id: 'a', text: 'nul \ufffd and \ufffd', sparse: '{5:0.25,10:0.5}/1000000000' }])
    await client.end()
  })
})

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
