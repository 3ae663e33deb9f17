/** Memory depends on the model and the window, not on how many texts there are, and goes back after `close()`. */

import { describe, expect, it } from 'vitest'
import { reportOf } from '../support/run-child.js'

interface Usage {
  rows: number
  weightBytes: number
  during: number
  after: number
  peak: number
}

const MB = 1024 * 1024

const usageOf = (count: number) =>
  reportOf<Usage>('memory.mjs', { node: ['--expose-gc'], args: [String(count)], killAfterMs: 280_000 })

describe('peak memory', () => {
  it('is the same for 1,500 and 20,000 texts', { timeout: 400_000 }, async () => {
    const few = await usageOf(1500)
    const many = await usageOf(20_000)
    expect(few.rows).toBe(1500)
    expect(many.rows).toBe(20_000)
    // Rows that stayed would be 28 MB more, their texts 2 MB; the allocator alone makes some 10 MB from run to run.
    expect(many.peak - few.peak).toBeLessThanOrEqual(25 * MB)
    expect(many.peak).toBeLessThanOrEqual(many.weightBytes + 250 * MB)
  })
})

describe('memory after close', () => {
  it('is given back', async () => {
    const { before, loaded, closed } = await reportOf<{ before: number; loaded: number; closed: number }>(
      'load-many.mjs',
      { node: ['--expose-gc'] },
    )
    const used = loaded - before
    expect(used).toBeGreaterThan(100 * MB) // else the test measures nothing
    expect(closed - before).toBeLessThan(used * 0.5)
  })

  it('stays flat over 50 times create and close', async () => {
    const { rss } = await reportOf<{ rss: number[] }>('open-close.mjs', {
      node: ['--expose-gc'],
      args: ['50'],
    })
    // The first rounds fill the allocator's pools. Weights of 24 MB that stayed would be 700 MB in 30 rounds; a tenth of that
    // is above the noise of a round.
    const growth = median(rss.slice(-15)) - median(rss.slice(5, 20))
    expect(growth).toBeLessThan(30 * MB)
  })
})

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
