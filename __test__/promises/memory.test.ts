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
  reportOf<Usage>('memory.mjs', { node: ['--expose-gc'], args: [String(count)] })

describe('peak memory', () => {
  // The allocator alone makes some MB of difference between two runs of the same program, so a high one is repeated.
  it('is the same for 3,000 and 12,000 texts', { timeout: 120_000, retry: 2 }, async () => {
    const few = await usageOf(3000)
    const many = await usageOf(12_000)
    expect(few.rows).toBe(3000)
    expect(many.rows).toBe(12_000)
    expect(many.peak / few.peak).toBeLessThanOrEqual(1.1)
    expect(many.peak).toBeLessThanOrEqual(many.weightBytes + 250 * MB)
  })
})

describe('memory after close', () => {
  it('is given back', { timeout: 60_000 }, async () => {
    const { before, loaded, closed } = await reportOf<{ before: number; loaded: number; closed: number }>(
      'load-many.mjs',
      { node: ['--expose-gc'] },
    )
    const used = loaded - before
    expect(used).toBeGreaterThan(100 * MB) // else the test measures nothing
    expect(closed - before).toBeLessThan(used * 0.5)
  })

  it('stays flat over 50 times create and close', { timeout: 120_000 }, async () => {
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
