/** A query overtakes a full bulk stream, and bulk work does not starve beside urgent work. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TextEmbedding } from '../../index.js'
import { texts } from '../support/texts.mjs'

let model: TextEmbedding
beforeAll(async () => {
  model = await TextEmbedding.create({ overflow: 'truncate' })
})
afterAll(() => model.close())

/** A bulk call under way, its window full. */
async function bulk(priority: number) {
  const controller = new AbortController()
  let rows = 0
  const done = (async () => {
    const options = { signal: controller.signal, priority, batchSize: 8 }
    for await (const batch of model.embed(texts(1e9, { least: 30, most: 60 }), options)) rows += batch.length
  })().catch((error: unknown) => {
    if (!controller.signal.aborted) throw error
  })
  while (model.metrics().waitingInputs < 500) await sleep(5)
  return {
    rows: () => rows,
    async stop() {
      controller.abort()
      await done
    },
  }
}

describe('beside a full bulk stream', () => {
  // Counted in texts that were finished meanwhile, so that the speed of the machine does not matter.
  it('a query waits for the runs under way, not for the window', async () => {
    const load = await bulk(0)
    const overtakenBy: number[] = []
    for (let i = 0; i < 15; i++) {
      const { inputs: before, waitingInputs } = model.metrics()
      expect(waitingInputs).toBeGreaterThan(400)
      await model.queryEmbed('how do I resize a partition?').toArray()
      overtakenBy.push(model.metrics().inputs - before)
    }
    await load.stop()
    // A run has room for some ten of these texts; each session finishes its own, and one may have started meanwhile.
    const median = overtakenBy.sort((a, b) => a - b)[7] as number
    expect(median).toBeLessThanOrEqual(60)
  })

  it('bulk work goes on while urgent work never ends', async () => {
    const load = await bulk(0)
    const urgent = await bulk(50)
    const before = load.rows()
    await sleep(2500)
    const after = load.rows()
    await urgent.stop()
    await load.stop()
    expect(after).toBeGreaterThan(before)
  })
})
