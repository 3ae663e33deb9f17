/** Pruning removes what is known to be gone, and nothing that could not be seen. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  EmbeddingPipeline,
  MillraceError,
  type PipelineReport,
  type PipelineRunOptions,
  SparseTextEmbedding,
} from '../../index.js'
import { MemoryLetters, TableSink } from './support.js'

let sparse: SparseTextEmbedding
beforeAll(async () => {
  sparse = await SparseTextEmbedding.create()
})
afterAll(() => sparse.close())

/** A store, and runs over sources into it. */
function store() {
  const sink = new TableSink()
  const journal = join(mkdtempSync(join(tmpdir(), 'millrace-prune-')), 'journal')
  const run = async (source: unknown[], options?: PipelineRunOptions): Promise<PipelineReport> => {
    const deadLetters = new MemoryLetters()
    await using pipeline = await EmbeddingPipeline.create({ sink, sparse, journal, deadLetters })
    return await pipeline.run(source as never, options)
  }
  const stored = () => [...new Set(sink.store.records.map(({ documentId }) => documentId))].sort()
  return { run, stored }
}

const document = (id: string, text = `text of ${id}`) => ({ id, text })
const unreadable = (id: string) => ({ id, error: new MillraceError('INPUT_INVALID', `Cannot read ${id}`) })

// owncloud/client#4293, samschott/maestral#473: what cannot be looked at is deleted.
it('removes nothing in a run whose source told an error, and says so', async () => {
  const { run, stored } = store()
  await run(['a', 'b', 'm/c'].map((id) => document(id)))
  expect(await run([document('a'), unreadable('m/')], { prune: true })).toMatchObject({
    pruned: 0,
    pruneSkipped: true,
    failed: 1,
  })
  expect(stored()).toEqual(['a', 'b', 'm/c'])
  expect(await run([document('a'), document('m/c')], { prune: true })).toMatchObject({
    pruned: 1,
    pruneSkipped: false,
  })
  expect(stored()).toEqual(['a', 'm/c'])
})

it('keeps what the store has of a document that cannot be read today', async () => {
  const { run, stored } = store()
  await run([document('a'), document('b')])
  expect(await run([unreadable('a'), document('b')])).toMatchObject({ failed: 1, unchanged: 1 })
  expect(stored()).toEqual(['a', 'b'])
  // It is known as it was: nothing is embedded when it can be read again, and a change replaces it.
  expect(await run([document('a'), document('b')])).toMatchObject({ unchanged: 2 })
  expect(await run([document('a', 'changed'), document('b')])).toMatchObject({ written: 1, replaced: 1 })
  expect(stored()).toEqual(['a', 'b'])
})

it('keeps a document whose new version is none', async () => {
  const { run, stored } = store()
  await run([document('a'), document('b')])
  await run([{ id: 'a', text: 5 }, document('b')], { prune: true })
  expect(stored()).toEqual(['a', 'b'])
})

it('refuses to remove everything, unless told so', async () => {
  const { run, stored } = store()
  await run([document('a'), document('b')])
  await expect(run([], { prune: true })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringContaining('2 documents'),
  })
  await expect(run([document('not mounted')], { prune: true })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
  })
  expect(stored()).toEqual(['a', 'b', 'not mounted'])
  expect(await run([], { prune: 'all' })).toMatchObject({ pruned: 3 })
  expect(stored()).toEqual([])
  // An empty store may be pruned with an empty source.
  expect(await run([], { prune: true })).toMatchObject({ pruned: 0 })
  await expect(run([], { prune: 'everything' as never })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})
