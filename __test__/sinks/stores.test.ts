/** LanceDB, SQLite and PostgreSQL, for real: what sinks must do, formats, search. */
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { connect } from '@lancedb/lancedb'
import Database from 'libsql'
import pg from 'pg'
import { load } from 'sqlite-vec'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  calibrate,
  type DType,
  EmbeddingPipeline,
  lanceDbSink,
  openLanceDb,
  openPgVector,
  openSqlite,
  pgVectorSink,
  type SearchableStore,
  type Sink,
  sqliteSink,
  TextEmbedding,
} from '../../index.js'
import type { Stored } from '../pipeline/support.js'
import { conforms, SCHEMA } from './conformance.js'

const TEXTS = [
  'a mill race drives a water wheel',
  'resizing a partition of a disk with parted',
  'a recipe for sourdough bread',
  'the central bank raised interest rates',
]
const QUESTION = 'how do I enlarge a disk partition?'

let model: TextEmbedding

beforeAll(async () => {
  process.env['LANCEDB_LOG'] = 'error'
  model = await TextEmbedding.create()
})
afterAll(() => model.close())

const fresh = () => mkdtemp(join(tmpdir(), 'millrace-store-'))
let tables = 0

/** Indexes four texts and finds the one that answers. */
async function finds(sink: Sink, open: () => Promise<SearchableStore>, dtype: DType): Promise<void> {
  const journal = join(await fresh(), 'journal')
  await using pipeline = await EmbeddingPipeline.create({ sink, dense: model, dtype, journal, sparse: {} })
  const source = TEXTS.map((text, i) => ({ id: `t${i}`, text, metadata: { i } }))
  expect(await pipeline.run(source)).toMatchObject({ written: 4 })
  const [query] = await pipeline.queryEmbed(QUESTION).toArray()
  const store = await open()
  const hits = await store.search(query as Float32Array, { limit: 2 })
  expect(hits).toHaveLength(2)
  expect(hits[0]).toMatchObject({ documentId: 't1', text: TEXTS[1], metadata: { i: 1 }, headings: [] })
  const [exact] = await model.embed(TEXTS[1] as string).toArray()
  const cosine = (query as Float32Array).reduce((sum, value, i) => sum + value * (exact?.[i] as number), 0)
  const isBits = dtype === 'binary' || dtype === 'ubinary'
  expect(Math.abs((hits[0]?.score ?? 0) - cosine)).toBeLessThan(isBits ? 0.25 : 0.01)
  expect([undefined, model.model]).toContain(await store.model())
  await store.close()
}

describe('lanceDbSink', () => {
  conforms({
    place: fresh,
    make: (uri) => lanceDbSink({ uri, table: 'docs' }),
    async read(uri) {
      const table = await (await connect(uri)).openTable('docs')
      const rows = (await table.query().toArray()) as Record<string, unknown>[]
      return rows.map((row): Stored => {
        const numbers = (name: string) => Array.from(row[name] as ArrayLike<number>, Number)
        const values = numbers('sparse_values')
        return {
          id: row['id'] as string,
          documentId: row['document_id'] as string,
          chunk: row['chunk'] as number,
          text: row['text'] as string,
          start: row['start'] as number,
          end: row['end'] as number,
          tokens: row['tokens'] as number,
          headings: JSON.parse(row['headings'] as string),
          metadata: JSON.parse(row['metadata'] as string),
          dense: numbers('vector'),
          sparse: numbers('sparse_indices').map((index, i): [number, number] => [index, values[i] as number]),
        }
      })
    },
  })

  it.each(['float32', 'float16', 'ubinary', 'binary'] as const)('holds %s and finds', async (dtype) => {
    const uri = await fresh()
    await finds(lanceDbSink({ uri, table: 'docs' }), () => openLanceDb({ uri, table: 'docs' }), dtype)
  })

  it('has columns of metadata for filters', async () => {
    const uri = await fresh()
    const sink = lanceDbSink({
      uri,
      table: 'docs',
      metadataColumns: { year: 'int32', draft: 'boolean', title: 'string' },
    })
    await using pipeline = await EmbeddingPipeline.create({ sink, dense: model })
    const metadata = [
      { year: 2020, draft: false, title: 'a' },
      { year: 2021, draft: true },
      { year: 'none' },
      {},
    ]
    await pipeline.run(
      TEXTS.map((text, i) => ({
        id: `t${i}`,
        text,
        metadata: metadata[i] as object as Record<string, string>,
      })),
    )
    const store = await openLanceDb({ uri, table: 'docs' })
    const [query] = await model.queryEmbed(QUESTION).toArray()
    const ids = async (where: string) =>
      (await store.search(query as Float32Array, { where })).map(({ documentId }) => documentId).sort()
    expect(await ids('year >= 2021')).toEqual(['t1'])
    expect(await ids('draft = false')).toEqual(['t0'])
    expect(await ids('year IS NULL')).toEqual(['t2', 't3'])
    await store.close()
  })

  it('refuses formats it cannot search, and tables of another form', async () => {
    const uri = await fresh()
    const int8 = lanceDbSink({ uri, table: 'docs' })
    const schema = { dense: { model: 'm', dim: 8, dtype: 'int8' as const } }
    await expect(int8.open({ schema })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await (await connect(uri)).createTable('docs', [{ other: 1 }])
    const other = lanceDbSink({ uri, table: 'docs', existing: 'append' })
    await expect(other.open({ schema: SCHEMA })).rejects.toMatchObject({ code: 'SINK_FAILED' })
    await other.close()
    await expect(openLanceDb({ uri, table: 'none' })).rejects.toMatchObject({ code: 'SINK_FAILED' })
  })
})

describe('sqliteSink', () => {
  conforms({
    place: async () => join(await fresh(), 'docs.db'),
    make: (path) => sqliteSink({ path }),
    async read(path) {
      const db = new Database(path)
      load(db)
      const rows = db
        .prepare('SELECT r.*, v.embedding FROM documents r JOIN documents_vectors v ON v.rowid = r.rowid')
        .all() as Record<string, unknown>[]
      db.close()
      const bytes = (value: unknown) => new Uint8Array(value as Uint8Array).buffer
      return rows.map((row): Stored => {
        const values = new Float32Array(bytes(row['sparse_values']))
        const indices = [...new Uint32Array(bytes(row['sparse_indices']))]
        return {
          id: row['id'] as string,
          documentId: row['document_id'] as string,
          chunk: row['chunk'] as number,
          text: row['text'] as string,
          start: row['start'] as number,
          end: row['end'] as number,
          tokens: row['tokens'] as number,
          headings: JSON.parse(row['headings'] as string),
          metadata: JSON.parse(row['metadata'] as string),
          dense: [...new Float32Array(bytes(row['embedding']))],
          sparse: indices.map((index, i): [number, number] => [index, values[i] as number]),
        }
      })
    },
  })

  it.each(['float32', 'int8', 'uint8', 'ubinary', 'binary'] as const)('holds %s and finds', async (dtype) => {
    const path = join(await fresh(), 'docs.db')
    await finds(
      sqliteSink({ path, table: 'my "table"' }),
      () => openSqlite({ path, table: 'my "table"' }),
      dtype,
    )
  })

  it('takes a database that is open and leaves it open', async () => {
    const database = new Database(':memory:')
    await finds(sqliteSink({ database }), () => openSqlite({ database }), 'float32')
    expect(database.prepare('SELECT count(*) AS n FROM documents').get()).toMatchObject({ n: 4 })
    database.close()
  })

  it('refuses what it cannot compare', async () => {
    const sink = sqliteSink({ path: join(await fresh(), 'docs.db') })
    for (const dense of [
      { model: 'm', dim: 8, dtype: 'float16' as const },
      { model: 'm', dim: 12, dtype: 'ubinary' as const },
      { model: 'm', dim: 1, dtype: 'int8' as const, ranges: await calibrate(Float32Array.of(0, 1), 1) },
    ]) {
      await expect(sink.open({ schema: { dense } })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    }
    expect(() => sqliteSink({})).toThrow(/path/)
    await expect(openSqlite({ path: join(await fresh(), 'none.db') })).rejects.toMatchObject({
      code: 'SINK_FAILED',
    })
  })
})

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

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
