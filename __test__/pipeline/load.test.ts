/** Under load: memory does not depend on the number of documents, and the event loop stays free. */

import { describe, expect, it } from 'vitest'
import { reportOf } from '../support/run-child.js'

interface Load {
  written: number
  records: number
  p99Ms: number
  peak: number
}

const MB = 1024 * 1024

const loadOf = (family: string, most: number, milliseconds: number) =>
  reportOf<Load>('pipeline-load.mjs', {
    args: [family, String(most), String(milliseconds)],
    killAfterMs: 150_000,
  })

describe('a pipeline under load', () => {
  it('takes the same memory for 3,000 and 15,000 documents, but for some bytes each', {
    timeout: 300_000,
    retry: 2,
  }, async () => {
    const few = await loadOf('sparse', 3000, 1e6)
    const many = await loadOf('sparse', 15_000, 1e6)
    expect(few.written).toBe(3000)
    expect(many.written).toBe(15_000)
    // Names of 12,000 documents more are 4 MB at the most; their texts alone would be 15 MB, their records far more.
    expect(many.peak - few.peak).toBeLessThan(30 * MB)
  })

  it('leaves the event loop free', { timeout: 60_000, retry: 2 }, async () => {
    const { records, p99Ms } = await loadOf('both', 1e6, 4000)
    expect(records).toBeGreaterThan(50)
    expect(p99Ms).toBeLessThanOrEqual(10)
  })
})
