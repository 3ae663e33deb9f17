/**
 * Attention takes memory by the square of a text's length: 12 heads and 8,192 tokens are more than 6 GB. So memory is bounded
 * over all sessions, whatever the texts and however many of them (pvliesdonk/markdown-vault-mcp#306, BYK/loreai#854).
 * Lengths near the limit are measured in `benches/node/long-texts.mjs`.
 */

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TextEmbedding } from '../../index.js'
import type { ModelInfo } from '../../src/families/base-model.js'
import { textOf, writeAttentionModel } from '../support/attention-model.mjs'
import { reportOf } from '../support/run-child.js'

const MB = 1e6

interface Report {
  rows: number
  peak: number
  memory: ModelInfo['memory']
}

let dir: string

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-long-'))
  writeAttentionModel(dir)
})

describe.skipIf(process.platform !== 'linux')('the memory of long texts', () => {
  const peakOf = (tokens: number, count: number, options: object) =>
    reportOf<Report>('long-texts.mjs', {
      node: ['--expose-gc'],
      args: [dir, String(tokens), String(count), JSON.stringify(options)],
    })

  it('is bounded by maxMemory, the same for 1 and for 12 texts on every core', async () => {
    const one = await peakOf(2000, 1, { maxMemory: '600MB' })
    const many = await peakOf(2000, 12, { maxMemory: '600MB' })
    expect(one.rows).toBe(1)
    expect(many.rows).toBe(12)
    expect(one.memory).toMatchObject({ budget: 600 * MB, source: 'maxMemory', heads: 12 })
    // 12 heads x 2 buffers x 4 bytes x 2,000 tokens squared: without a bound each session would take as much.
    expect(one.peak).toBeGreaterThan(380 * MB)
    expect(many.peak).toBeLessThan(600 * MB)
  })

  it('lets long texts run at the same time where there is room', async () => {
    const { peak } = await peakOf(1000, 12, { maxMemory: '4GB' })
    expect(peak).toBeLessThan(4000 * MB)
  })
})

describe('a text that no run has memory for', () => {
  let model: TextEmbedding

  beforeAll(async () => {
    model = await TextEmbedding.create({ modelPath: dir, pooling: 'mean', maxMemory: '100MB' })
  })
  afterAll(() => model.close())

  it('is INPUT_TOO_LONG, and says how long it may be', async () => {
    const reading = model.embed([textOf(10), textOf(3000), textOf(10)]).toArray()
    await expect(reading).rejects.toMatchObject({ code: 'INPUT_TOO_LONG', index: 1 })
    await expect(reading).rejects.toThrow(/Expected a text of at most \d+ tokens .* but received 3000 tokens/)
  })

  it('does not touch the others', async () => {
    const rows = await model.embed([textOf(10), textOf(3000), textOf(400)], { errors: 'collect' }).toArray()
    expect(rows.map((row) => row?.length)).toEqual([48, undefined, 48])
  })

  it('is embedded in chunks that there is memory for', async () => {
    const options = { overflow: 'chunk', maxLength: 256 } as const
    expect(await model.embed([textOf(3000)], options).toArray()).toHaveLength(1)
  })

  it('is told by info before it is run', async () => {
    const { memory, maxLength } = await model.info()
    expect(maxLength).toBe(8192)
    expect(memory?.longestText).toBeGreaterThan(6.4e9)
    expect(memory?.longestText).toBeLessThan(8.5e9)
  })
})

describe('maxMemory', () => {
  it('of what the longest text needs is enough for it', async () => {
    const lazy = await TextEmbedding.create({ modelPath: dir, pooling: 'mean' })
    const needed = (await lazy.info()).memory?.longestText
    await lazy.close()
    await using model = await TextEmbedding.create({ modelPath: dir, pooling: 'mean', maxMemory: needed })
    expect((await model.info()).memory).toMatchObject({ budget: needed, source: 'maxMemory' })
  })

  it('that not even a sentence fits into is refused', async () => {
    const created = TextEmbedding.create({ modelPath: dir, pooling: 'mean', maxMemory: '1MB' })
    await expect(created).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(created).rejects.toThrow(/Expected at least \d+ bytes for maxMemory/)
  })

  it('is not given where nothing is run on a graph', async () => {
    const { SparseTextEmbedding } = await import('../../index.js')
    await using model = await SparseTextEmbedding.create({ model: 'Qdrant/bm25' })
    expect((await model.info()).memory).toBeUndefined()
  })
})
