/** What a run writes, in which order, and what it does with documents that are left out or fail, on the bundled model. */

import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  calibrate,
  EmbeddingPipeline,
  type EmbeddingPipelineOptions,
  type MillraceError,
  memory,
  type PipelineDocument,
  quantize,
  SparseTextEmbedding,
  TextChunker,
  TextEmbedding,
  tieredCache,
} from '../../index.js'
import { documents, LogSink, MemoryLetters, TableSink } from './support.js'

// Real models on machines that do other things too.
vi.setConfig({ testTimeout: 60_000 })

let dense: TextEmbedding
let sparse: SparseTextEmbedding

beforeAll(async () => {
  dense = await TextEmbedding.create()
  sparse = await SparseTextEmbedding.create()
})

afterAll(async () => {
  await dense.close()
  await sparse.close()
})

async function run(source: Iterable<unknown>, options: Partial<EmbeddingPipelineOptions> = {}) {
  const sink = new TableSink()
  await using pipeline = await EmbeddingPipeline.create({ sink, dense, ...options })
  const report = await pipeline.run(source as Iterable<PipelineDocument>)
  return { sink, report, records: sink.store.records, metrics: pipeline.metrics() }
}

describe('records', () => {
  it('are those of the source, in its order, a document together', async () => {
    const docs = documents(40, { least: 80, most: 350 })
    const { sink, report, records } = await run(docs, { batchRecords: 16 })
    expect([...new Set(records.map(({ documentId }) => documentId))]).toEqual(docs.map(({ id }) => id))
    for (const [i, { documentId, chunk, id }] of records.entries()) {
      expect(id).toBe(`${documentId}#${chunk}`)
      if (chunk > 0) expect(records[i - 1]).toMatchObject({ documentId, chunk: chunk - 1 })
    }
    expect(records.length).toBeGreaterThan(docs.length)
    expect(report).toMatchObject({ read: 40, written: 40, records: records.length, chunks: records.length })
    const batchOf = new Map<string, number>()
    for (const [at, batch] of sink.batches.entries()) {
      for (const id of batch) {
        const document = id.split('#')[0] as string
        expect(batchOf.get(document) ?? at).toBe(at)
        batchOf.set(document, at)
      }
    }
    expect(sink.batches.length).toBeGreaterThan(3)
  })

  it('have the vectors of plain calls, bit for bit, dense and sparse', async () => {
    const docs = documents(16, { least: 100, most: 400 })
    const { records } = await run(docs, { sparse })
    const texts = records.map(({ text }) => text)
    const vectors = await dense.embed(texts).toArray()
    const weights = await sparse.embed(texts).toArray()
    for (const [i, record] of records.entries()) {
      expect(record.dense).toEqual([...(vectors[i] as Float32Array)])
      const { indices, values } = weights[i] as { indices: Uint32Array; values: Float32Array }
      expect(record.sparse).toEqual([...indices].map((index, j) => [index, values[j]]))
    }
  })

  it('of sparse vectors alone need no dense model', async () => {
    const { records, sink } = await run(documents(5), { dense: undefined, sparse })
    expect(records[0]).toHaveProperty('sparse')
    expect(records[0]).not.toHaveProperty('dense')
    expect(sink.context?.schema).toEqual({ sparse: { model: 'Qdrant/bm25', idf: true } })
  })

  it('are the chunks of a chunker, with places, tokens and headings', async () => {
    const text = `# One\n\n${'A sentence of some words. '.repeat(60)}\n\n## Two\n\n\`\`\`\n  indented\n\`\`\`\n`
    const { records } = await run([{ id: 'm', text, format: 'markdown', metadata: { a: [1, null] } }])
    const chunker = await TextChunker.create({ by: 'markdown' })
    const chunks = await chunker.chunk(text)
    expect(
      records.map(({ text, start, end, tokens, headings }) => ({ text, start, end, tokens, headings })),
    ).toEqual(chunks)
    expect(records.at(-1)).toMatchObject({ headings: ['One', 'Two'], metadata: { a: [1, null] } })
    expect(records.at(-1)?.text).toContain('  indented')
  })

  it('lose their markup where they are not cut by it', async () => {
    const { records } = await run(
      [
        { id: 'h', text: '<p>Fish &amp; <b>chips</b></p>', format: 'html' },
        { id: 'm', text: '# Title\n\nSome *text*', format: 'markdown' },
      ],
      { chunk: false },
    )
    expect(records.map(({ id, text }) => [id, text])).toEqual([
      ['h', 'Fish & chips'],
      ['m', expect.not.stringContaining('*') as string],
    ])
  })

  it('count the prompt among their tokens', async () => {
    await using prompted = await TextEmbedding.create({ prompts: { passage: 'passage: ' } })
    const docs = documents(3, { least: 400, most: 600 })
    const { records } = await run(docs, { dense: prompted, chunk: { maxTokens: 64 } })
    expect(Math.max(...records.map(({ tokens }) => tokens))).toBeLessThanOrEqual(64)
    const plain = await prompted.passageEmbed(records.map(({ text }) => text)).toArray()
    expect(records.map(({ dense }) => dense)).toEqual(plain.map((row) => [...row]))
  })

  it('come in any format', async () => {
    const docs = documents(12)
    const texts = docs.map(({ text }) => text)
    const { data } = await dense.embed(texts, { dimensions: 128 }).toMatrix()
    const ranges = await calibrate(data, 128)
    const leveled = await quantize(data, 128, { dtype: 'uint8', ranges })
    const { records, sink } = await run(docs, { dtype: 'uint8', dimensions: 128, ranges })
    expect(records.flatMap(({ dense }) => dense)).toEqual([...leveled.data])
    expect(sink.context?.schema.dense).toMatchObject({ dim: 128, dtype: 'uint8', ranges })
    const scaled = await dense.embed(texts, { dtype: 'int8' }).toMatrix()
    const int8 = await run(docs, { dtype: 'int8' })
    expect(int8.records.flatMap(({ dense }) => dense)).toEqual([...scaled.data])
    expect(int8.records.map(({ scale }) => scale)).toEqual([...(scaled.scales ?? [])])
    const bits = await run(docs, { dtype: 'ubinary' })
    expect(bits.records[0]?.dense).toHaveLength(48)
    expect(bits.sink.context?.schema.dense).toMatchObject({ dim: 384, dtype: 'ubinary' })
  })

  it('may come as they are completed', async () => {
    const docs = documents(80, { least: 2, most: 200 })
    const { records } = await run(docs, { order: 'completion', batchRecords: 8, chunk: false })
    const inOrder = await run(docs, { batchRecords: 8, chunk: false })
    const sorted = (of: typeof records) => [...of].sort((a, b) => (a.id < b.id ? -1 : 1))
    expect(sorted(records)).toEqual(sorted(inOrder.records))
    expect(inOrder.records.map(({ id }) => id)).toEqual(docs.map(({ id }) => id))
  })
})

describe('a source', () => {
  it('is anything that gives documents, one by one or as they come', async () => {
    const docs = documents(10)
    const expected = (await run(docs)).records
    async function* generator(): AsyncGenerator<PipelineDocument> {
      for (const document of docs) {
        await new Promise((resolve) => setTimeout(resolve, 3))
        yield document
      }
    }
    const sources = [new Set(docs), generator(), ReadableStream.from(docs), Readable.from(docs)]
    for (const source of sources) {
      expect((await run(source as Iterable<unknown>)).records).toEqual(expected)
    }
  })
})

describe('documents', () => {
  it('are left out with a reason', async () => {
    const { report, metrics } = await run(
      [
        { id: 'a', text: 'short' },
        { id: 'b', text: 'x'.repeat(5000) },
        {
          id: 'c',
          text: 'Dies ist ein deutscher Text, der ganz sicher nicht englisch ist, sondern deutsch.',
        },
        { id: 'd', text: 'This is a text in English that is long enough to be kept by the pipeline.' },
      ],
      { prepare: { minLength: 10, maxLength: 1000, languages: ['eng'] } },
    )
    expect(report).toMatchObject({ read: 4, written: 1, dropped: 3 })
    expect(report.droppedBy).toEqual({ 'too-short': 1, 'too-long': 1, language: 1 })
    expect(metrics.droppedBy).toEqual(report.droppedBy)
    const empty = await run([{ id: 'a', text: '' }], { prepare: false })
    expect(empty.report.droppedBy).toEqual({ empty: 1 })
  })

  it('that repeat earlier ones are left out when asked', async () => {
    const docs = [
      { id: 'a', text: 'The same text, said twice.' },
      { id: 'b', text: '  The same   text, said twice.' },
      { id: 'c', text: 'Another text.' },
    ]
    const { report, records } = await run(docs, { duplicates: 'exact' })
    expect(report).toMatchObject({ written: 2, duplicates: 1 })
    expect(records.map(({ documentId }) => documentId)).toEqual(['a', 'c'])
    expect((await run(docs)).report).toMatchObject({ written: 3, duplicates: 0 })
  })

  it('that are none fail alone, with their places', async () => {
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    const source = [
      { id: 'a', text: 'one' },
      null,
      { id: '', text: 'two' },
      { id: 'b', text: 3 },
      { id: 'a', text: 'again' },
      { id: 'c', text: 'four', metadata: cycle },
      { id: 'd', text: 'five', format: 'pdf' },
      { id: 'e', text: 'six' },
    ]
    const deadLetters = new MemoryLetters()
    const { report, records } = await run(source, { deadLetters })
    expect(records.map(({ documentId }) => documentId)).toEqual(['a', 'e'])
    expect(deadLetters.letters.map(({ documentId, index, code }) => [documentId, index, code])).toEqual([
      ['', 1, 'INPUT_INVALID'],
      ['', 2, 'INPUT_INVALID'],
      ['b', 3, 'INPUT_INVALID'],
      ['a', 4, 'INPUT_INVALID'],
      ['c', 5, 'INPUT_INVALID'],
      ['d', 6, 'INPUT_INVALID'],
    ])
    expect(report).toMatchObject({ written: 2, failed: 6, errors: { INPUT_INVALID: 6 } })
    expect(deadLetters.closed).toBe(1)
    await expect(run(source)).rejects.toMatchObject({ code: 'INPUT_INVALID', index: 1 })
  })

  it('whose metadata JSON cannot hold are told by the field, and keep their ids', async () => {
    let deep: object = {}
    for (let i = 0; i < 3000; i++) deep = { in: deep }
    const source = [
      { id: 'big', text: 'one', metadata: { page: { number: 1n } } },
      { id: 'map', text: 'two', metadata: { tags: [new Map([['a', 1]])] } },
      { id: 'pattern', text: 'three', metadata: { match: /x/ } },
      { id: 'deep', text: 'four', metadata: deep },
      { id: 'list', text: 'five', metadata: [] },
      { id: 'fine', text: 'six', metadata: { when: new Date(0), nothing: undefined } },
    ]
    const deadLetters = new MemoryLetters()
    const { records } = await run(source as never, { deadLetters })
    expect(records.map(({ documentId }) => documentId)).toEqual(['fine'])
    const told = deadLetters.letters.map(({ documentId, message }) => [documentId, message])
    expect(told).toEqual([
      ['big', expect.stringContaining('metadata.page.number but received 1 of type bigint')],
      ['map', expect.stringContaining('metadata.tags.0 but received Map')],
      ['pattern', expect.stringContaining('metadata.match but received RegExp')],
      ['deep', expect.stringContaining('metadata.in.in.')],
      ['list', expect.stringContaining('for metadata but received')],
    ])
  })

  it('that a model refuses fail as a whole', async () => {
    await using strict = await TextEmbedding.create({ overflow: 'error' })
    const long = { id: 'long', text: 'word '.repeat(2000) }
    const source = [{ id: 'a', text: 'fine' }, long, { id: 'b', text: 'fine too' }]
    const deadLetters = new MemoryLetters()
    const { records, report } = await run(source, { dense: strict, sparse, chunk: false, deadLetters })
    expect(records.map(({ id }) => id)).toEqual(['a', 'b'])
    expect(report.errors).toEqual({ INPUT_TOO_LONG: 1 })
    expect(deadLetters.letters).toMatchObject([{ documentId: 'long', index: 1, code: 'INPUT_TOO_LONG' }])
    await expect(run(source, { dense: strict, chunk: false })).rejects.toMatchObject({
      code: 'INPUT_TOO_LONG',
      index: 1,
    })
  })
})

describe('a pipeline', () => {
  it('takes chunks from the cache the second time', async () => {
    const cache = tieredCache([memory({ maxBytes: 1e7 })])
    const docs = documents(30)
    const first = await run(docs, { cache })
    expect(cache.metrics()).toMatchObject({ hits: 0, misses: 30 })
    const second = await run(docs, { cache })
    expect(cache.metrics()).toMatchObject({ hits: 30, misses: 30 })
    expect(second.records).toEqual(first.records)
    await cache.close()
  })

  it('answers queries with its models while it runs', async () => {
    const sink = new TableSink()
    await using pipeline = await EmbeddingPipeline.create({ sink, dense, sparse, dimensions: 64 })
    const running = pipeline.run(documents(200))
    const [vector] = await pipeline.queryEmbed('a question').toArray()
    const [terms] = await pipeline.sparseQueryEmbed('a question').toArray()
    expect(vector).toEqual((await dense.queryEmbed('a question', { dimensions: 64 }).toArray())[0])
    expect(terms?.indices.length).toBe(1)
    await expect(pipeline.run([])).rejects.toMatchObject({ code: 'OVERLOADED' })
    expect((await running).written).toBe(200)
  })

  it('reports progress and counts', async () => {
    const seen: number[] = []
    const sink = new LogSink()
    await using pipeline = await EmbeddingPipeline.create({ sink, dense, batchRecords: 32 })
    const started = performance.now()
    const report = await pipeline.run(documents(300), {
      onProgress({ read, total, written }) {
        expect(total).toBe(300)
        expect(written).toBeLessThanOrEqual(read)
        seen.push(written)
      },
    })
    const tenths = (performance.now() - started) / 100
    expect(seen.length).toBeLessThanOrEqual(tenths + 2)
    expect(seen.at(-1)).toBe(300)
    const metrics = pipeline.metrics()
    expect(metrics).toMatchObject({ runs: 1, read: 300, written: 300, records: 300, waitingChunks: 0 })
    expect(metrics).toMatchObject({ waitingDocuments: 0, tokens: report.tokens, dense: { openJobs: 0 } })
    for (const stage of ['prepareMs', 'chunkMs', 'embedMs', 'sinkMs'] as const) {
      expect(metrics[stage]).toBeGreaterThan(0)
    }
  })

  it('leaves out near duplicates, also of documents that were there', async () => {
    const words = Array.from({ length: 60 }, (_, i) => `word${i}`)
    const near = (i: number) => ({ id: `n${i}`, text: words.with(i, 'changed').join(' ') })
    const sink = new TableSink()
    const journal = join(await mkdtemp(join(tmpdir(), 'millrace-near-')), 'journal')
    await using pipeline = await EmbeddingPipeline.create({ sink, dense, duplicates: 'near', journal })
    const first = await pipeline.run([near(3), { id: 'other', text: 'something else' }, near(40)])
    expect(first).toMatchObject({ written: 2, duplicates: 1 })
    const again = await pipeline.run([near(3), { id: 'other', text: 'something else' }, near(40), near(20)])
    expect(again).toMatchObject({ written: 0, unchanged: 2, duplicates: 2 })
  })

  it('closes only the models it made', async () => {
    const pipeline = await EmbeddingPipeline.create({ sink: new TableSink(), dense, sparse: {} })
    await pipeline.close()
    await pipeline.close()
    await expect(pipeline.run([])).rejects.toMatchObject({ code: 'CLOSED' })
    expect(await dense.embed('still there').toArray()).toHaveLength(1)
  })

  it('refuses options that are none', async () => {
    const sink = new TableSink()
    const cases: [object, string][] = [
      [{}, 'sink'],
      [{ sink: {} }, 'sink'],
      [{ sink, dense: false }, 'dense'],
      [{ sink, chunk: { by: 'words' } }, 'by'],
      [{ sink, chunk: { size: 3 } }, 'size'],
      [{ sink, prepare: { format: 'html' } }, 'format'],
      [{ sink, prepare: { languages: ['klingon'] } }, 'languages'],
      [{ sink, order: 'any' }, 'order'],
      [{ sink, dtype: 'int4' }, 'dtype'],
      [{ sink, duplicates: { near: 2 } }, 'near'],
      [{ sink, duplicates: 'all' }, 'duplicates'],
      [{ sink, journal: '' }, 'journal'],
      [{ sink, batchRecords: 0 }, 'batchRecords'],
      [{ sink, concurrency: 0 }, 'concurrency'],
    ]
    for (const [options, name] of cases) {
      const error = await EmbeddingPipeline.create({ dense, ...options } as EmbeddingPipelineOptions).then(
        async (pipeline) => {
          await pipeline.close()
          return undefined
        },
        (error: MillraceError) => error,
      )
      expect(error, JSON.stringify(Object.keys(options))).toMatchObject({ code: 'INVALID_OPTION' })
      expect(error?.message).toContain(name)
    }
  })
})
