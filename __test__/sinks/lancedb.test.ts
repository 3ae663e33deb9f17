/** LanceDB, for real: what sinks must do, formats, search. */
import { connect } from '@lancedb/lancedb'
import { beforeAll, describe, expect, it } from 'vitest'
import { EmbeddingPipeline, lanceDbSink, openLanceDb, type PipelineRecord } from '../../index.js'
import type { Stored } from '../pipeline/support.js'
import { batchOf, conforms, records, SCHEMA } from './conformance.js'
import { finds, fresh, model, QUESTION, TEXTS } from './found-texts.js'
import { searches } from './searches.js'

beforeAll(() => {
  process.env['LANCEDB_LOG'] = 'error'
})

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
