/** What a journal makes of a second run: going on, writing what has changed only, refusing what does not fit. */

import { appendFile, mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  EmbeddingPipeline,
  type EmbeddingPipelineOptions,
  type PipelineDocument,
  type PipelineRunOptions,
  type Sink,
  SparseTextEmbedding,
  TextEmbedding,
} from '../../index.js'
import { lockUnlessHeld } from '../../src/base/lock.js'
import { Outcome } from '../../src/pipeline/journal/document-table.js'
import { Journal } from '../../src/pipeline/journal/journal.js'
import {
  byId,
  documents,
  LogSink,
  MemoryLetters,
  type Store,
  TableSink,
  temporaryDirectory,
} from './support.js'

// Real models on machines that do other things too.
vi.setConfig({ testTimeout: 60_000 })

let sparse: SparseTextEmbedding

beforeAll(async () => {
  sparse = await SparseTextEmbedding.create()
})

afterAll(async () => {
  await sparse.close()
})

let files = 0
const dir = temporaryDirectory()
const newJournal = (): string => join(dir, `${files++}.journal`)

interface Case extends Partial<EmbeddingPipelineOptions> {
  sink: Sink
  run?: PipelineRunOptions
}

async function run(source: Iterable<unknown>, { run, ...options }: Case) {
  await using pipeline = await EmbeddingPipeline.create({ sparse, ...options })
  return await pipeline.run(source as Iterable<PipelineDocument>, run)
}

const change = (docs: PipelineDocument[], at: number, text: string): PipelineDocument[] =>
  docs.map((document, i) => (i === at ? { ...document, text } : document))

describe('the next run', () => {
  it('writes what has changed only, and removes what is gone when asked', async () => {
    const journal = newJournal()
    const sink = new TableSink()
    const docs = documents(50)
    expect(await run(docs, { sink, journal })).toMatchObject({ written: 50, unchanged: 0 })
    sink.batches.length = 0
    expect(await run(docs, { sink, journal })).toMatchObject({ read: 50, written: 0, unchanged: 50 })
    expect(sink.batches).toEqual([])

    const later = [
      ...change(docs, 7, 'Something else is said here.').slice(0, 40),
      { id: 'new', text: 'A new one.' },
    ]
    expect(await run(later, { sink, journal })).toMatchObject({
      written: 2,
      replaced: 1,
      unchanged: 39,
      pruned: 0,
    })
    expect(sink.batches).toEqual([['d7#0', 'new#0']])
    expect(sink.store.records).toHaveLength(51)
    expect(await run(later, { sink, journal, run: { prune: true } })).toMatchObject({
      written: 0,
      pruned: 10,
    })
    const fresh = new TableSink()
    await run(later, { sink: fresh })
    expect(byId(sink.store)).toEqual(byId(fresh.store))
    expect(await run(later, { sink, journal, run: { prune: true } })).toMatchObject({
      pruned: 0,
      unchanged: 41,
    })
  })

  it('knows other metadata and another format as a change, but not another order of keys', async () => {
    const journal = newJournal()
    const sink = new TableSink()
    await run([{ id: 'a', text: 'text', metadata: { x: 1, y: 2 } }], { sink, journal })
    expect(await run([{ id: 'a', text: 'text', metadata: { y: 2, x: 1 } }], { sink, journal })).toMatchObject(
      { unchanged: 1 },
    )
    expect(await run([{ id: 'a', text: 'text', metadata: { x: 2, y: 2 } }], { sink, journal })).toMatchObject(
      { written: 1 },
    )
    expect(
      await run([{ id: 'a', text: 'text', metadata: { x: 2, y: 2 }, format: 'html' }], { sink, journal }),
    ).toMatchObject({ written: 1 })
    expect(sink.store.records).toHaveLength(1)
  })

  it('removes what is now too short or a duplicate, and writes what no longer is one', async () => {
    const journal = newJournal()
    const sink = new TableSink()
    const options = { sink, journal, duplicates: 'exact', prepare: { minLength: 4 } } as const
    const docs = [
      { id: 'a', text: 'The first text.' },
      { id: 'b', text: 'The first text.' },
      { id: 'c', text: 'The third text.' },
    ]
    expect(await run(docs, options)).toMatchObject({ written: 2, duplicates: 1 })
    expect(await run(docs, options)).toMatchObject({ written: 0, unchanged: 2, duplicates: 1 })
    const later = [
      { id: 'a', text: 'Now something else.' },
      { id: 'b', text: 'The first text.' },
      { id: 'c', text: 'No.' },
    ]
    expect(await run(later, options)).toMatchObject({ written: 2, dropped: 1, droppedBy: { 'too-short': 1 } })
    expect(byId(sink.store).map(({ text }) => text)).toEqual(['Now something else.', 'The first text.'])
    expect(await run(later, options)).toMatchObject({
      unchanged: 2,
      dropped: 1,
      droppedBy: { 'too-short': 1 },
    })
  })

  it('is refused where a store that can only be added to would have to change', async () => {
    const journal = newJournal()
    const sink = new LogSink()
    const docs = documents(10)
    await run(docs, { sink, journal })
    expect(await run([...docs, { id: 'x', text: 'more' }], { sink, journal })).toMatchObject({ written: 1 })
    const before = structuredClone(sink.store)
    await expect(run(change(docs, 3, 'changed'), { sink, journal })).rejects.toMatchObject({
      code: 'SINK_FAILED',
      message: expect.stringContaining("'d3'") as string,
    })
    expect(sink.store).toEqual(before)
    await expect(run(docs, { sink, journal, run: { prune: true } })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    })
  })

  it('tells failed documents once, and tries them again when asked', async () => {
    const journal = newJournal()
    const store: Store = { records: [] }
    const deadLetters = new MemoryLetters()
    const docs = [...documents(5), { id: '', text: 'nameless' }, { id: 'd1', text: 'twice' }]
    const attempt = (options?: PipelineRunOptions) =>
      run(docs, { sink: new TableSink({ store }), journal, deadLetters, ...(options && { run: options }) })
    expect(await attempt()).toMatchObject({ written: 5, failed: 2 })
    expect(await attempt()).toMatchObject({ written: 0, unchanged: 5, failed: 2, errors: {} })
    expect(deadLetters.letters).toHaveLength(2)
    expect(await attempt({ retryFailed: true })).toMatchObject({ failed: 2, errors: { INPUT_INVALID: 2 } })
    expect(deadLetters.letters).toHaveLength(4)
  })
})

describe('a run that ended early', () => {
  it('goes on after an error of the sink, which keeps its cause', async () => {
    for (const [Kind, moments] of [
      [TableSink, ['before write', 'after write', 'before commit', 'after commit']],
      [LogSink, ['before write', 'after write', 'before commit', 'after commit']],
    ] as const) {
      for (const moment of moments) {
        const journal = newJournal()
        const store: Store = { records: [] }
        const cause = new Error('disk full')
        let left = 3
        const broken = new Kind({
          store,
          hook(at) {
            if (at === moment && --left === 0) throw cause
          },
        })
        const options = { journal, batchRecords: 8 }
        await expect(run(documents(60), { ...options, sink: broken })).rejects.toMatchObject({
          code: 'SINK_FAILED',
          cause,
        })
        expect(broken.calls.at(-1)).toBe('close')
        const report = await run(documents(60), { ...options, sink: new Kind({ store }) })
        expect(report.unchanged, moment).toBeGreaterThan(0)
        const fresh = new Kind()
        await run(documents(60), { sink: fresh })
        expect(store.records, moment).toEqual(fresh.store.records)
      }
    }
  })
})

describe('another fingerprint', () => {
  it('is refused by the name of what changed', async () => {
    await using dense = await TextEmbedding.create()
    await using prompted = await TextEmbedding.create({ prompts: { passage: 'p: ' } })
    await using short = await TextEmbedding.create({ maxLength: 64 })
    const docs = documents(3)
    const journal = newJournal()
    const base = { sparse: undefined, dense, journal, sink: new TableSink() }
    await run(docs, base)
    const cases: [Partial<EmbeddingPipelineOptions>, string][] = [
      [{ dense: prompted }, 'prompt'],
      [{ dense: short }, 'dense model'],
      [{ sparse }, 'sparse model'],
      [{ dtype: 'int8' }, 'dtype'],
      [{ dimensions: 64 }, 'dimensions'],
      [{ prepare: { minLength: 2 } }, 'prepare'],
      [{ prepare: false }, 'prepare'],
      [{ chunk: { maxTokens: 50 } }, 'chunk'],
      [{ chunk: false }, 'chunk'],
      [{ duplicates: 'exact' }, 'duplicates'],
      [{ sink: new LogSink() }, 'sink'],
    ]
    for (const [options, part] of cases) {
      await expect(run(docs, { ...base, ...options }), part).rejects.toMatchObject({
        code: 'JOURNAL_MISMATCH',
        message: expect.stringContaining(part) as string,
      })
    }
    expect(base.sink.store.records).toHaveLength(3)
    // Speed and order are none of the store's business.
    const fast = { batchRecords: 2, order: 'completion', concurrency: 4, flushMs: 0 } as const
    expect(await run(docs, { ...base, ...fast })).toMatchObject({ unchanged: 3 })
  })
})

describe('the file', () => {
  it('is cut at a torn tail, and refused where its middle is damaged', async () => {
    const journal = newJournal()
    const sink = new TableSink()
    const docs = documents(40)
    await run(docs, { sink, journal, batchRecords: 8 })
    const whole = await readFile(journal)
    await appendFile(journal, '0badc0de {"c":[["d1","')
    expect(await run(docs, { sink, journal })).toMatchObject({ unchanged: 40 })
    expect(await readFile(journal)).toEqual(whole)

    const flipped = Buffer.from(whole)
    flipped[Math.floor(whole.length / 2)] = 0
    await writeFile(journal, flipped)
    await expect(run(docs, { sink, journal })).rejects.toMatchObject({ code: 'JOURNAL_INVALID' })
    expect(await readFile(journal)).toEqual(flipped)

    // A line of a commit that never came to the disk is a batch that is done again.
    const last = whole.lastIndexOf(10, whole.length - 2) + 1
    expect(whole.toString('utf8', last)).toContain('"c":')
    await writeFile(journal, whole.subarray(0, last + 5))
    expect(await run(docs, { sink, journal })).toMatchObject({ written: 8, replaced: 8, unchanged: 32 })
    expect(sink.store.records).toHaveLength(40)
  })

  it('of somebody else is left alone', async () => {
    const journal = newJournal()
    for (const content of ['hello', 'hello\n', 'one\ntwo\n']) {
      await writeFile(journal, content)
      await expect(run([], { sink: new TableSink(), journal })).rejects.toMatchObject({
        code: 'JOURNAL_INVALID',
      })
      expect(await readFile(journal, 'utf8')).toBe(content)
    }
    await truncate(journal, 0)
    expect(await run([], { sink: new TableSink(), journal })).toMatchObject({ read: 0 })
  })

  it('is one pipeline at a time', async () => {
    const journal = newJournal()
    let release: () => void = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow = new TableSink({ hook: (at) => (at === 'before write' ? held : undefined) })
    const first = run(documents(3), { sink: slow, journal, flushMs: 0 })
    while (!slow.calls.includes('write')) await new Promise((resolve) => setTimeout(resolve, 5))
    await expect(run([], { sink: new TableSink(), journal })).rejects.toMatchObject({
      code: 'JOURNAL_INVALID',
      message: expect.stringContaining('in use') as string,
    })
    release()
    await first
    expect(await run(documents(3), { sink: new TableSink(), journal })).toMatchObject({ unchanged: 3 })
  })

  it('is taken over from a holder that died where nobody can ask', async () => {
    const directory = `${newJournal()}.lock`
    await mkdir(directory)
    await writeFile(join(directory, '1.lock'), JSON.stringify({ pid: 1, host: 'another machine' }))
    const lock = await lockUnlessHeld(directory, undefined, { beatMs: 20, staleMs: 200, pollMs: 10 })
    expect(lock).toBeDefined()
    expect(
      await lockUnlessHeld(directory, undefined, { beatMs: 20, staleMs: 200, pollMs: 10 }),
    ).toBeUndefined()
    await lock?.release()
  })

  it('is written anew once most of it is history, and says the same then', async () => {
    const path = newJournal()
    const name = (ids: readonly string[]): string[] =>
      ids.map((id) => Buffer.from(id.padEnd(16, '.')).toString('hex'))
    const content = (n: number): string => n.toString(16).padStart(32, '0')
    const fingerprint = { model: 'm' }
    let journal = await Journal.open(path, fingerprint, name)
    const ids = Array.from({ length: 500 }, (_, i) => `document ${i}`)
    for (let round = 0; round < 40; round++) {
      await journal.begin(ids)
      await journal.commit(
        ids.map((id) => ({ id, content: content(round), outcome: Outcome.written })),
        { sink: round, deadLetters: { bytes: round } },
      )
    }
    await journal.commit([{ id: 'document 3', content: '', outcome: Outcome.none }], {})
    await journal.begin(['document 4', 'document new'])
    await journal.close()
    const before = (await stat(path)).size
    for (let again = 0; again < 2; again++) {
      journal = await Journal.open(path, fingerprint, name)
      const known = (id: string) => journal.table.get(name([id])[0] as string)
      expect(known('document 5')).toEqual({ outcome: Outcome.written, content: content(39) })
      expect(known('document 3')?.outcome ?? Outcome.none).toBe(Outcome.none)
      expect(known('document 4')?.outcome).toBe(Outcome.begun)
      expect(known('document new')?.outcome).toBe(Outcome.begun)
      expect(journal.checkpoints).toEqual({ sink: 39, deadLetters: { bytes: 39 } })
      const unseen: string[] = []
      for await (const some of journal.unseen()) unseen.push(...some)
      expect(unseen.sort()).toEqual([...ids.filter((id) => id !== 'document 3'), 'document new'].sort())
      await journal.close()
    }
    expect((await stat(path)).size).toBeLessThan(before / 20)
  })
})
