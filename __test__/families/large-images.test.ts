/** Many large images: the event loop stays free, and memory does not depend on how many there are. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { goldenModel } from '../support/paths.js'
import { png } from '../support/png.mjs'
import { type LoopTurns, reportOf } from '../support/run-child.js'

/** Six megapixels, 18 MB decoded. */
const [WIDTH, HEIGHT] = [3000, 2000]
const MB = 1024 * 1024

interface Usage extends LoopTurns {
  rows: number
  before: number
  processorSeconds: number
  peak: number
}

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-images-'))
  for (let i = 0; i < 4; i++) writeFileSync(join(folder, `${i}.png`), png(WIDTH, HEIGHT, i))
})
afterAll(() => rmSync(folder, { recursive: true }))

const usageOf = (count: number, kind: 'paths' | 'buffers') =>
  reportOf<Usage>('images.mjs', {
    args: [String(count), kind, folder, goldenModel('clip_vision')],
    killAfterMs: 280_000,
  })

describe('the event loop', () => {
  // As in threads.test.ts, in processor time of the loop's thread.
  it.each(['paths', 'buffers'] as const)(
    'is free while 200 large images are embedded from %s',
    { timeout: 300_000 },
    async (kind) => {
      const { rows, p99, max, processorSeconds } = await usageOf(200, kind)
      expect(rows).toBe(200)
      expect(processorSeconds).toBeGreaterThan(0.5) // else there was no load
      expect(p99).toBeLessThanOrEqual(10)
      expect(max).toBeLessThanOrEqual(50)
    },
  )
})

describe('peak memory', () => {
  it('is the same for 100 and 300 large images', { timeout: 600_000 }, async () => {
    const few = await usageOf(100, 'paths')
    const many = await usageOf(300, 'paths')
    expect([few.rows, many.rows]).toEqual([100, 300])
    // 200 images that stayed would be 3.6 GB decoded; the allocator alone makes some 20 MB from run to run.
    expect(many.peak - few.peak).toBeLessThanOrEqual(100 * MB)
    // Each preparing thread decodes one image at a time; all of them held decoded would be 5 GB.
    expect(many.peak - many.before).toBeLessThanOrEqual(250 * MB)
  })
})
