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
    // Else the collector lets garbage lie, the more the longer it runs.
    node: ['--max-old-space-size=40'],
    args: [family, String(most), String(milliseconds)],
    killAfterMs: 150_000,
  })

describe('a pipeline under load', () => {
  it('takes the same memory for 8,000 and 40,000 documents, but for some bytes each', {
    timeout: 300_000,
    retry: 2,
  }, async () => {
    const few = await loadOf('sparse', 8000, 600_000)
    const many = await loadOf('sparse', 40_000, 600_000)
    expect(few.written).toBe(8001)
    expect(many.written).toBe(40_001)
    // Names of 32,000 documents more are 6 MB; their texts alone would be 32 MB, their records far more.
    expect(many.peak - few.peak).toBeLessThan(30 * MB)
  })

  it('leaves the event loop free', { timeout: 60_000, retry: 2 }, async () => {
    const { records, p99Ms } = await loadOf('both', 1e6, 8000)
    expect(records).toBeGreaterThan(50)
    expect(p99Ms).toBeLessThanOrEqual(10)
  })
})
