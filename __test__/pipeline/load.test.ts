/** Under load: memory does not depend on the number of documents, and the event loop stays free. */

import { describe, expect, it } from 'vitest'
import { type LoopTurns, reportOf } from '../support/run-child.js'

interface Load extends LoopTurns {
  written: number
  records: number
  peak: number
}

const MB = 1024 * 1024

const loadOf = (family: string, most: number, milliseconds: number) =>
  reportOf<Load>('pipeline-load.mjs', {
    // Else the collector lets garbage lie, the more the longer it runs.
    node: ['--max-old-space-size=40'],
    args: [family, String(most), String(milliseconds)],
    killAfterMs: 280_000,
  })

describe('a pipeline under load', () => {
  it('takes the same memory for 8,000 and 40,000 documents, but for some bytes each', {
    timeout: 600_000,
  }, async () => {
    const few = await loadOf('sparse', 8000, 600_000)
    const many = await loadOf('sparse', 40_000, 600_000)
    expect(few.written).toBe(8001)
    expect(many.written).toBe(40_001)
    // Names of 32,000 documents more are 6 MB; their texts alone would be 32 MB, their records far more.
    expect(many.peak - few.peak).toBeLessThan(30 * MB)
  })

  // In processor time of the loop's thread; `benches/node/pipeline.mjs` measures the delay by the clock.
  it('leaves the event loop free', async () => {
    const { records, p99, max } = await loadOf('both', 1e6, 8000)
    expect(records).toBeGreaterThan(10) // else there was no load
    expect(p99).toBeLessThanOrEqual(10)
    expect(max).toBeLessThanOrEqual(50)
  })
})
