/** How runs end early, what they free, and that a slow sink holds the source back. */

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  EmbeddingPipeline,
  type EmbeddingPipelineOptions,
  type PipelineDocument,
  SparseTextEmbedding,
  TextEmbedding,
} from '../../index.js'
import { PATIENCE_MS } from '../support/patience.js'
import { documents, LogSink, MemoryLetters, TableSink, temporaryDirectory } from './support.js'

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

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A source without end that says how far it was read and whether it was released. */
function endless(text = 'A few words.') {
  const state = { read: 0, returned: 0 }
  async function* source(): AsyncGenerator<PipelineDocument> {
    try {
      for (;;) yield { id: `e${state.read++}`, text: `${text} ${state.read}` }
    } finally {
      state.returned++
    }
  }
  return { state, source: source() }
}

const create = (options: Partial<EmbeddingPipelineOptions> & Pick<EmbeddingPipelineOptions, 'sink'>) =>
  EmbeddingPipeline.create({ dense, ...options })

describe('abort', () => {
  it('rejects with the reason and frees source, sink and models', async () => {
    const sink = new TableSink()
    const deadLetters = new MemoryLetters()
    await using pipeline = await create({ sink, sparse, deadLetters, batchRecords: 8 })
    const { state, source } = endless()
    const controller = new AbortController()
    const running = pipeline.run(source, { signal: controller.signal })
    while (sink.batches.length < 2) await pause(5)
    const reason = new Error('enough')
    const aborted = performance.now()
    controller.abort(reason)
    await expect(running).rejects.toBe(reason)
    expect(performance.now() - aborted).toBeLessThan(PATIENCE_MS)
    expect(state.returned).toBe(1)
    expect(sink.calls.at(-1)).toBe('close')
    expect(sink.calls.filter((call) => call === 'close')).toHaveLength(1)
    expect(deadLetters.closed).toBe(1)
    const read = state.read
    await pause(50)
    expect(state.read).toBe(read)
    expect(dense.metrics().openJobs).toBe(0)
    expect(sparse.metrics().openJobs).toBe(0)
    await expect(pipeline.run([], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect((await pipeline.run(documents(3))).written).toBe(3)
  })

  it('does not wait for a source that hangs', async () => {
    const sink = new TableSink()
    await using pipeline = await create({ sink })
    let hangs = false
    async function* hanging(): AsyncGenerator<PipelineDocument> {
      yield { id: 'a', text: 'one' }
      hangs = true
      await new Promise(() => {})
    }
    const controller = new AbortController()
    const running = pipeline.run(hanging(), { signal: controller.signal })
    while (!hangs) await pause(5)
    controller.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
    expect(sink.calls.at(-1)).toBe('close')
  })

  it('comes with close, as CLOSED', async () => {
    const pipeline = await create({ sink: new TableSink() })
    const { state, source } = endless()
    const running = pipeline.run(source)
    const rejected = expect(running).rejects.toMatchObject({ code: 'CLOSED' })
    while (state.read === 0) await pause(5)
    await pipeline.close()
    await rejected
    expect(state.returned).toBe(1)
  })
})

describe('failure', () => {
  it('of the source is the error of the run, and what was written stays', async () => {
    const journal = join(temporaryDirectory(), 'j')
    const sink = new LogSink()
    await using pipeline = await create({ sink, journal, batchRecords: 4 })
    const docs = documents(40)
    const error = new Error('the network went away')
    async function* source(): AsyncGenerator<PipelineDocument> {
      for (const document of docs.slice(0, 30)) yield document
      while (sink.store.records.length < 20) await pause(5)
      throw error
    }
    await expect(pipeline.run(source())).rejects.toBe(error)
    expect(sink.calls.at(-1)).toBe('close')
    expect(dense.metrics().openJobs).toBe(0)
    const report = await pipeline.run(docs)
    expect(report.unchanged).toBeGreaterThanOrEqual(20)
    expect(sink.store.records.map(({ documentId }) => documentId)).toEqual(docs.map(({ id }) => id))
  })

  it('of progress, dead letters and opening end the run too', async () => {
    const failing = new Error('no')
    const throwing = await create({ sink: new TableSink() })
    await expect(
      throwing.run(documents(500), {
        onProgress() {
          throw failing
        },
      }),
    ).rejects.toBe(failing)
    await throwing.close()

    const deadLetters = new MemoryLetters()
    deadLetters.write = async () => {
      throw failing
    }
    await using letters = await create({ sink: new TableSink(), deadLetters })
    await expect(letters.run([{ id: '', text: '' }])).rejects.toMatchObject({
      code: 'SINK_FAILED',
      cause: failing,
    })

    const { state, source } = endless()
    const sink = new TableSink({
      hook() {
        throw failing
      },
    })
    await using opening = await create({ sink })
    await expect(opening.run(source)).rejects.toMatchObject({ code: 'SINK_FAILED', cause: failing })
    expect(state.read).toBe(0)
    expect(sink.calls).toEqual(['open', 'close'])
    await expect(opening.run(3 as never)).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  })
})

describe('a slow sink', () => {
  it('holds the source back, and so do slow dead letters', async () => {
    const kinds = [
      { name: 'written', make: (i: number) => ({ id: `e${i}`, text: `Some words ${i}.` }) },
      { name: 'failed', make: () => ({ id: '', text: '' }) },
    ]
    for (const { name, make } of kinds) {
      let release: () => void = () => {}
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      const sink = new TableSink({ hook: (at) => (at === 'before write' ? held : undefined) })
      const deadLetters = new MemoryLetters()
      deadLetters.write = () => held
      await using pipeline = await create({
        sink,
        sparse,
        dense: false,
        deadLetters,
        concurrency: 200,
        batchRecords: 10,
      })
      let read = 0
      async function* source(): AsyncGenerator<PipelineDocument> {
        for (; read < 5000; read++) yield make(read)
      }
      const running = pipeline.run(source())
      while (pipeline.metrics().waitingDocuments < 200) await pause(5)
      await pause(200)
      const before = read
      await pause(300)
      expect(read, name).toBe(before)
      // Those on their way, a slice, and what readers of slices hold.
      expect(read, name).toBeLessThanOrEqual(200 + 2 * 64)
      expect(pipeline.metrics().waitingDocuments).toBeGreaterThanOrEqual(200)
      release()
      expect((await running).read).toBe(5000)
    }
  })

  it('cannot come to a standstill, however small the bounds and large the documents', async () => {
    const docs = documents(12, { least: 1, most: 900 })
    for (const concurrency of [1, 3]) {
      for (const batchRecords of [1, 100_000]) {
        const sink = new TableSink()
        await using pipeline = await create({ sink, sparse, concurrency, batchRecords, flushMs: 600_000 })
        const report = await pipeline.run(docs)
        expect(report.written).toBe(12)
        expect([...new Set(sink.store.records.map(({ documentId }) => documentId))]).toEqual(
          docs.map(({ id }) => id),
        )
      }
    }
  })

  it('gets what there is when the source pauses', async () => {
    const sink = new TableSink()
    await using pipeline = await create({ sink, flushMs: 50 })
    async function* source(): AsyncGenerator<PipelineDocument> {
      yield* documents(3)
      while (sink.store.records.length < 3) await pause(5)
      yield { id: 'last', text: 'the last' }
    }
    expect((await pipeline.run(source())).written).toBe(4)
  })
})
