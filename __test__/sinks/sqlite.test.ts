/** SQLite with sqlite-vec, for real: what sinks must do, formats, search. */
import { readFileSync } from 'node:fs'
import { chmod, copyFile, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import Database from 'libsql'
import { load } from 'sqlite-vec'
import { describe, expect, it } from 'vitest'
import { calibrate, openSqlite, sqliteSink } from '../../index.js'
import type { Stored } from '../pipeline/support.js'
import { batchOf, conforms, records, SCHEMA } from './conformance.js'
import { finds, fresh } from './found-texts.js'
import { searches } from './searches.js'

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
