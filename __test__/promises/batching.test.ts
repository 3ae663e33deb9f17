/** Planned batches are as fast as the better of one by one and sorted fixed batches, whatever the lengths. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TextEmbedding } from '../../index.js'
import { randomNumbers, words } from '../support/texts.mjs'

const random = randomNumbers(3)
const uniform = () => 4 + Math.floor(random() * 36)
const LENGTHS: Record<string, () => number> = {
  uniform,
  bimodal: () => (random() < 0.9 ? 4 + Math.floor(random() * 8) : 120 + Math.floor(random() * 30)),
  'heavy tail': () => Math.min(200, Math.floor(6 / (1 - random()) ** 0.8)),
}

/** Texts of a sample: about a third of a second of work on two cores. */
const COUNT = 120

/** Each way is measured in turn, several times, and its best time counts: other programs only ever add time. */
const ROUNDS = 3

let model: TextEmbedding
beforeAll(async () => {
  model = await TextEmbedding.create({ overflow: 'truncate' })
  await model.embed(Array(32).fill('warm up')).toArray()
})
afterAll(() => model.close())

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

describe.each(Object.entries(LENGTHS))('lengths: %s', (_, length) => {
  // The promise is 0.95; a noisy machine gets 0.85, and another chance.
  it('planned batching does not hurt', { timeout: 120_000, retry: 2 }, async () => {
    const source = Array.from({ length: COUNT }, () => words(length(), random))
    const sorted = source.toSorted((a, b) => a.length - b.length)
    const ways = {
      planned: () => model.embed(source).toArray(),
      oneByOne: () => model.embed(source, { batching: 'fixed', batchSize: 1 }).toArray(),
      sortedFixed: () => model.embed(sorted, { batching: 'fixed', batchSize: 16 }).toArray(),
    }
    const best = { planned: Infinity, oneByOne: Infinity, sortedFixed: Infinity }
    for (let round = 0; round < ROUNDS; round++) {
      for (const way of Object.keys(ways) as (keyof typeof ways)[]) {
        best[way] = Math.min(best[way], await seconds(ways[way]))
      }
    }
    const rival = Math.min(best.oneByOne, best.sortedFixed)
    expect(rival / best.planned).toBeGreaterThanOrEqual(0.85)
  })
})
