/** Texts that a store must find again by their meaning, and a model for them. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { type DType, EmbeddingPipeline, type SearchableStore, type Sink, TextEmbedding } from '../../index.js'

export const TEXTS = [
  'a mill race drives a water wheel',
  'resizing a partition of a disk with parted',
  'a recipe for sourdough bread',
  'the central bank raised interest rates',
]
export const QUESTION = 'how do I enlarge a disk partition?'

/** The model of the tests in the file that imports this. */
export let model: TextEmbedding

beforeAll(async () => {
  model = await TextEmbedding.create()
})
afterAll(() => model.close())

/** A new folder. */
export const fresh = () => mkdtemp(join(tmpdir(), 'millrace-store-'))
/** Indexes four texts and finds the one that answers. */
export async function finds(sink: Sink, open: () => Promise<SearchableStore>, dtype: DType): Promise<void> {
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
