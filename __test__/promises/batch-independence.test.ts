/**
 * A text's vector is the same alone and in any company, bit for bit: float32 graphs that pool outside, int8 weights, and dynamically quantised
 * graphs, which are found out and whose rows run alone. `batchInvariance: false` gives that up.
 */

import { afterAll, describe, expect, it } from 'vitest'
import { TextEmbedding, type TextEmbeddingOptions } from '../../index.js'
import { goldenModel, hasRealMiniLm, REAL_MINILM } from '../support/paths.js'
import { texts } from '../support/texts.mjs'
import { bits, furthest } from '../support/vectors.js'

/** Most below 60 words and some near the limit of 256 tokens, so that padding would be long. */
const TEXTS = [...texts(120, { least: 1, most: 60 }), ...texts(6, { least: 150, most: 230 }), 'a', '']

interface Subject {
  name: string
  options: TextEmbeddingOptions<'float32', 'throw'>
  quantization: string
  skip?: boolean
}

const subjects: Subject[] = [
  {
    name: 'float32',
    options: { modelPath: goldenModel('custom_both'), pooling: 'mean' },
    quantization: 'none',
  },
  { name: 'int8 weights', options: {}, quantization: 'weight-only' },
  {
    name: 'dynamic int8',
    options: { modelPath: goldenModel('custom_dynamic_int8'), pooling: 'mean' },
    quantization: 'dynamic',
  },
  {
    name: 'float32 MiniLM',
    options: { modelPath: REAL_MINILM },
    quantization: 'none',
    skip: !hasRealMiniLm(),
  },
]

const alone = new Map<string, string[]>()

describe.each(subjects)('vectors of a graph: $name', ({ name, options, quantization, skip = false }) => {
  it.skipIf(skip)('do not depend on batch-mates', async () => {
    await using model = await TextEmbedding.create({ ...options, overflow: 'truncate' })
    const info = await model.info()
    expect(info.quantization).toBe(quantization)
    expect(info.rowByRow).toBe(quantization === 'dynamic')
    const each: string[] = []
    for (const text of TEXTS) each.push(...(await model.embed(text).toArray()).map(bits))
    alone.set(name, each)
    const together = await model.embed(TEXTS).toArray()
    expect(different(together, each)).toEqual([])
    const reversed = await model.embed(TEXTS.toReversed(), { batchSize: 7 }).toArray()
    expect(different(reversed.toReversed(), each)).toEqual([])
  })
})

describe('a dynamically quantised graph', () => {
  const modelPath = goldenModel('custom_dynamic_int8')

  it('mixes its rows when asked to, so the test above can fail', async () => {
    await using model = await TextEmbedding.create({
      modelPath,
      pooling: 'mean',
      batchInvariance: false,
      overflow: 'truncate',
    })
    expect((await model.info()).rowByRow).toBe(false)
    const together = await model.embed(TEXTS).toArray()
    expect(different(together, alone.get('dynamic int8') ?? []).length).toBeGreaterThan(0)
  })

  it('mixes its rows in fixed batches, which reproduce batches', async () => {
    await using model = await TextEmbedding.create({ modelPath, pooling: 'mean', overflow: 'truncate' })
    const fixed = { batching: 'fixed', batchSize: 16 } as const
    const first = (await model.embed(TEXTS, fixed).toArray()).map(bits)
    const again = await model.embed(TEXTS, fixed).toArray()
    expect(different(again, first)).toEqual([])
    expect(different(again, alone.get('dynamic int8') ?? []).length).toBeGreaterThan(0)
    // A slice of one is a text alone.
    const single = await model.embed(TEXTS, { batching: 'fixed', batchSize: 1 }).toArray()
    expect(different(single, alone.get('dynamic int8') ?? [])).toEqual([])
  })
})

describe.each([
  { name: 'pooled inside the graph', modelPath: goldenModel('custom_2d') },
  { name: 'padded on the left', modelPath: goldenModel('tok_left') },
])('a float32 graph $name', ({ modelPath }) => {
  // The graph itself sums over the padding's zeros there, in an order that depends on their number: the last bits
  // differ, in FastEmbed too (its goldens say 2e-7 and 3e-8).
  it('gives the same vectors but for the last bits', async () => {
    await using model = await TextEmbedding.create({ modelPath, overflow: 'truncate' })
    const together = await model.embed(TEXTS).toArray()
    for (const [i, text] of TEXTS.entries()) {
      const [single] = await model.embed(text).toArray()
      expect(furthest(together[i] as Float32Array, single as Float32Array)).toBeLessThan(5e-7)
    }
  })
})

afterAll(() => {
  if (!hasRealMiniLm())
    process.stdout.write(`\nbatch independence: no weights at ${REAL_MINILM}, not compared\n`)
})

/** Positions whose bits differ. */
function different(rows: readonly Float32Array[], expected: readonly string[]): number[] {
  expect(rows.length).toBe(expected.length)
  return rows.flatMap((row, i) => (bits(row) === expected[i] ? [] : [i]))
}
