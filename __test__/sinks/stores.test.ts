/** LanceDB, SQLite and PostgreSQL, for real: what sinks must do, formats, search. */
import { readFileSync } from 'node:fs'
import { chmod, copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
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
  type PipelineRecord,
  pgVectorSink,
  type SearchableStore,
  type Sink,
  sqliteSink,
  TextEmbedding,
} from '../../index.js'
import type { Stored } from '../pipeline/support.js'
import { batchOf, conforms, records, SCHEMA } from './conformance.js'
import { searches } from './searches.js'

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
    removes: true,
    async wipe(uri) {
      await (await connect(uri)).dropTable('docs')
    },
    async damage(uri) {
      await (await (await connect(uri)).openTable('docs')).delete("document_id = 'a'")
    },
    async look(uri) {
      const connection = await connect(uri)
      if (!(await connection.tableNames()).includes('docs')) return null
      const table = await connection.openTable('docs')
      return [await table.version(), await table.countRows(), [...(await table.schema()).metadata]]
    },
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

  searches({
    place: fresh,
    make: (uri) => lanceDbSink({ uri, table: 'docs' }),
    open: (uri) => openLanceDb({ uri, table: 'docs' }),
  })

  it('has null in an int32 column for integers that do not fit', async () => {
    const uri = await fresh()
    const sink = lanceDbSink({ uri, table: 'docs', metadataColumns: { ts: 'int32' } })
    const values = [3_000_000_000, -(2 ** 31) - 1, 2 ** 31 - 1, -(2 ** 31), 5]
    await sink.open({ schema: SCHEMA })
    await sink.write(
      batchOf(
        values.map((ts, i) => ({ ...(records(`d${i}`, ['x'])[0] as PipelineRecord), metadata: { ts } })),
      ),
    )
    await sink.close()
    const table = await (await connect(uri)).openTable('docs')
    const rows = (await table.query().select(['ts']).toArray()) as { ts: number | null }[]
    expect(rows.map(({ ts }) => ts)).toEqual([null, null, 2 ** 31 - 1, -(2 ** 31), 5])
  })

  // continuedev/continue#2456, lancedb/lancedb#1129: names that panic in the driver.
  it('refuses names that LanceDB cannot have', async () => {
    for (const table of ['my docs', 'a/b', "it's", '', 'ü']) {
      expect(() => lanceDbSink({ uri: 'db', table })).toThrow(/table/)
      await expect(openLanceDb({ uri: 'db', table })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    }
  })

  it('adds to a table that others write too, and leaves their rows alone', async () => {
    const uri = await fresh()
    const first = lanceDbSink({ uri, table: 'docs' })
    await first.open({ schema: SCHEMA })
    await first.write(batchOf(records('theirs', ['x'])))
    await first.close()
    const sink = lanceDbSink({ uri, table: 'docs', append: true })
    await sink.open({ schema: SCHEMA })
    await sink.write(batchOf(records('ours', ['x'])))
    const checkpoint = await sink.commit()
    await sink.close()
    const table = await (await connect(uri)).openTable('docs')
    await table.delete("document_id = 'theirs'")
    await sink.open({ schema: SCHEMA, checkpoint, journal: { written: 1, begun: 0 } })
    await sink.close()
    expect(await table.countRows()).toBe(1)
    expect(() => lanceDbSink({ uri, table: 'docs', append: true, overwrite: true })).toThrow(/append/)
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
    removes: true,
    wipe: (path) => rm(path),
    async damage(path) {
      const db = new Database(path)
      db.exec("DELETE FROM documents WHERE document_id = 'a'")
      db.close()
    },
    async look(path) {
      const names = await readdir(dirname(path))
      const bytes = names.includes('docs.db') ? readFileSync(path, 'latin1') : null
      return [names.filter((name) => name.startsWith('docs.db')), bytes]
    },
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

  searches({
    place: async () => join(await fresh(), 'docs.db'),
    make: (path) => sqliteSink({ path }),
    open: (path) => openSqlite({ path }),
  })

  const fill = async (path: string) => {
    const sink = sqliteSink({ path })
    await sink.open({ schema: SCHEMA })
    await sink.write(batchOf(records('a', ['one', 'two'])))
    await sink.commit()
    await sink.close()
  }

  // tursodatabase/turso#1906, WiseLibs/better-sqlite3#376: a file that is copied without its log is empty.
  it('is whole in the one file, and searched where nothing can be written', async () => {
    const path = join(await fresh(), 'docs.db')
    await fill(path)
    expect(await readdir(dirname(path))).toEqual(['docs.db'])
    const copy = join(await fresh(), 'copy.db')
    await copyFile(path, copy)
    await chmod(copy, 0o444)
    await chmod(dirname(copy), 0o555)
    const store = await openSqlite({ path: copy })
    expect(await store.search(new Float32Array(16).fill(1))).toHaveLength(2)
    await store.close()
    expect(await readdir(dirname(copy))).toEqual(['copy.db'])
    await chmod(dirname(copy), 0o755)
  })

  it('says what is wrong with a file, and makes none by searching', async () => {
    const folder = await fresh()
    const message = (path: string) => openSqlite({ path }).catch((error: Error) => error.message)
    expect(await message(join(folder, 'typo.db'))).toContain('There is no file')
    await writeFile(join(folder, 'text.db'), 'this is no database, however long it may be. '.repeat(30))
    expect(await message(join(folder, 'text.db'))).toContain('not a database')
    new Database(join(folder, 'other.db')).exec('CREATE TABLE mine (x)')
    expect(await message(join(folder, 'other.db'))).toContain('nothing that sqliteSink made')
    expect((await readdir(folder)).sort()).toEqual(['other.db', 'text.db'])
  })

  it('leaves a database of somebody else as it was when it refuses', async () => {
    const path = join(await fresh(), 'theirs.db')
    const db = new Database(path)
    db.exec('CREATE TABLE documents (id, name); INSERT INTO documents VALUES (1, 2)')
    db.close()
    const before = readFileSync(path, 'latin1')
    const sink = sqliteSink({ path })
    await expect(sink.open({ schema: SCHEMA })).rejects.toMatchObject({ code: 'SINK_FAILED' })
    await sink.close()
    expect(readFileSync(path, 'latin1')).toBe(before)
    expect(await readdir(dirname(path))).toEqual(['theirs.db'])
  })

  it('brings back the mode of the database, also after a run that died', async () => {
    const path = join(await fresh(), 'docs.db')
    await fill(path)
    const dead = new Database(path)
    dead.exec('PRAGMA journal_mode = WAL')
    dead.close()
    const sink = sqliteSink({ path, overwrite: true })
    await sink.open({ schema: SCHEMA })
    await sink.close()
    const db = new Database(path)
    expect(db.prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'delete' })
    db.close()
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
