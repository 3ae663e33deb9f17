/**
 * Output i belongs to input i, none lost or doubled, whatever the calls beside it do: random calls at once, with duplicates,
 * batch sizes, priorities, orders and cancellations, against the vectors of the texts alone, bit for bit.
 */

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TextEmbedding } from '../../index.js'
import { goldenModel } from '../support/paths.js'
import { randomNumbers, words } from '../support/texts.mjs'
import { bits } from '../support/vectors.js'

/** Few different texts of very different lengths, so that most are drawn several times. */
const random = randomNumbers(7)
const POOL = ['', ' ', 'a', ...Array.from({ length: 21 }, (_, i) => words(1 + Math.floor(i ** 1.6), random))]

interface Call {
  picks: number[]
  batchSize: number
  batching: 'planned' | 'fixed'
  order: 'input' | 'completion'
  priority: number
  query: boolean
  /** Batches to read before the loop is left; a number past the end reads all. */
  breakAfter: number
}

const call: fc.Arbitrary<Call> = fc.record({
  picks: fc.array(fc.nat(POOL.length - 1), { maxLength: 60 }),
  batchSize: fc.integer({ min: 1, max: 40 }),
  batching: fc.constantFrom('planned', 'fixed'),
  order: fc.constantFrom('input', 'completion'),
  priority: fc.integer({ min: -3, max: 3 }),
  query: fc.boolean(),
  breakAfter: fc.oneof({ weight: 3, arbitrary: fc.constant(1000) }, { weight: 1, arbitrary: fc.nat(3) }),
})

describe.each([
  {
    name: 'float32 graph',
    options: { modelPath: goldenModel('custom_both'), pooling: 'mean' as const },
    runs: 150,
  },
  { name: 'bundled model, int8 weights', options: {}, runs: 12 },
])('rows of concurrent calls: $name', ({ options, runs }) => {
  let model: TextEmbedding
  let alone: string[]

  beforeAll(async () => {
    model = await TextEmbedding.create({ ...options, overflow: 'truncate' })
    alone = []
    for (const text of POOL) alone.push(...(await model.embed(text).toArray()).map(bits))
  })
  afterAll(() => model.close())

  it('know texts that differ', () => {
    expect(new Set(alone).size).toBeGreaterThan(POOL.length - 3)
  })

  it('belong to their inputs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 6 }), async (calls) => {
        await Promise.all(calls.map((one) => verify(model, one, alone)))
      }),
      { numRuns: runs, seed: 20260101 },
    )
    expect(model.metrics().openJobs).toBe(0)
  })
})

async function verify(model: TextEmbedding, call: Call, alone: readonly string[]): Promise<void> {
  const { picks, breakAfter, query, ...options } = call
  const source = picks.map((pick) => POOL[pick] as string)
  const stream = query ? model.queryEmbed(source, options) : model.embed(source, options)
  const seen = new Set<number>()
  let batches = 0
  let rows = 0
  for await (const batch of stream) {
    if (batches++ >= breakAfter) return
    expect(batch.length).toBeGreaterThan(0)
    expect(batch.length).toBeLessThanOrEqual(options.batchSize)
    expect(batch.offset).toBe(rows)
    rows += batch.length
    for (let i = 0; i < batch.length; i++) {
      const index = batch.indexOf(i)
      expect(seen.has(index), `row ${index} came twice`).toBe(false)
      seen.add(index)
      if (options.order === 'input') expect(index).toBe(batch.offset + i)
      if (bits(batch.row(i)) !== alone[picks[index] as number]) {
        throw new Error(`row ${index} is not the vector of its text, in ${JSON.stringify(call)}`)
      }
    }
  }
  expect(seen.size).toBe(picks.length)
}
