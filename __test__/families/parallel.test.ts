/**
 * FastEmbed's own guide, word for word: `parallel` on a call (`list(model.embed(documents, batch_size=256, parallel=4))`), and
 * `parallel` and `threads` of a machine with more cores than this one. What a bound means for runs is shown on the engine, in
 * `crates/core/tests/bounds.rs`; here, that every family takes it and that it changes no row.
 */

import { describe, expect, it } from 'vitest'
import { TextEmbedding } from '../../index.js'
import { rowsAlone, SUBJECTS, sameRow } from './subjects.js'

describe.each(SUBJECTS.map((subject) => ({ name: subject.name, subject })))(
  'parallel on a call of $name',
  ({ subject }) => {
    it.each([null, 0, 1, 4])('of %s changes no row', async (parallel) => {
      const model = await subject.open({ parallel: 8 })
      try {
        const alone = await rowsAlone(model, subject.items)
        const rows = await model.run(subject.items, { batchSize: 256, parallel }).toArray()
        for (const [i, row] of rows.entries()) sameRow(subject, row, alone[i] as number[], `row ${i}`)
        expect(rows).toHaveLength(subject.items.length)
      } finally {
        await model.close()
      }
    })
  },
)

describe('the guide of FastEmbed', () => {
  const documents = [
    'This is built to be faster and lighter than other embedding libraries e.g. Transformers, Sentence-Transformers, etc.',
    'fastembed is supported by and maintained by Qdrant.',
  ]

  it('embeds documents with parallel=4', async () => {
    await using model = await TextEmbedding.create()
    const embeddings = await model.embed(documents, { batchSize: 256, parallel: 4 }).toArray()
    expect(embeddings.map((vector) => vector.length)).toEqual([384, 384])
  })

  it('embeds with threads=8 and parallel=0', async () => {
    await using model = await TextEmbedding.create({ threads: 8 })
    const [vector] = await model.embed(documents, { parallel: 0 }).toArray()
    expect(vector).toHaveLength(384)
  })

  it('embeds queries and passages with parallel', async () => {
    await using model = await TextEmbedding.create({ parallel: 4, lazyLoad: true })
    const [query] = await model.queryEmbed('Who maintains fastembed?', { parallel: null }).toArray()
    const passages = await model.passageEmbed(documents, { parallel: 2 }).toArray()
    expect([query, ...passages].map((vector) => vector?.length)).toEqual([384, 384, 384])
  })

  it('refuses what is no number of sessions', async () => {
    await using model = await TextEmbedding.create({ lazyLoad: true })
    expect(() => model.embed(documents, { parallel: -1 })).toThrow(
      'Expected integer from 0, or null for parallel but received -1',
    )
  })
})
