/** The ways of reading a stream agree with each other, in either order, and progress tells the truth. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DenseBatch, type Progress, TextEmbedding } from '../../index.js'
import { goldenModel } from '../support/paths.js'
import { texts } from '../support/texts.mjs'
import { bits } from '../support/vectors.js'

const TEXTS = [...texts(300, { least: 1, most: 40, seed: 9 })]
let model: TextEmbedding
let expected: string[]

beforeAll(async () => {
  model = await TextEmbedding.create({
    modelPath: goldenModel('custom_both'),
    pooling: 'mean',
    overflow: 'truncate',
  })
  expected = []
  for (const text of TEXTS) expected.push(...(await model.embed(text).toArray()).map(bits))
})
afterAll(() => model.close())

describe.each(['input', 'completion'] as const)('order %s', (order) => {
  const options = { order, batchSize: 17 }

  it('toArray is in input order', async () => {
    expect((await model.embed(TEXTS, options).toArray()).map(bits)).toEqual(expected)
  })

  it('toMatrix is one batch in input order', async () => {
    const matrix = await model.embed(TEXTS, options).toMatrix()
    expect(matrix).toMatchObject({ offset: 0, length: 300, dim: 40 })
    expect(matrix.data.length).toBe(300 * 40)
    expect(Array.from({ length: 300 }, (_, i) => bits(matrix.row(i)))).toEqual(expected)
    const { tokens } = await model.embed(TEXTS).toMatrix()
    expect(matrix.tokens).toEqual(tokens)
  })

  it('batches tell the input of each row', async () => {
    const found: (string | undefined)[] = []
    let offset = 0
    for await (const batch of model.embed(TEXTS, options)) {
      expect(batch.offset).toBe(offset)
      expect(batch.positions !== undefined).toBe(order === 'completion')
      offset += batch.length
      for (let i = 0; i < batch.length; i++) found[batch.indexOf(i)] = bits(batch.row(i))
    }
    expect(found).toEqual(expected)
  })

  it('rows and toReadableStream give the same rows', async () => {
    const rows: string[] = []
    for await (const row of model.embed(TEXTS, options).rows()) rows.push(bits(row))
    expect(rows.toSorted()).toEqual(expected.toSorted())
    const streamed: (string | undefined)[] = []
    const stream = model.embed(TEXTS, options).toReadableStream() as AsyncIterable<DenseBatch> &
      ReadableStream
    for await (const batch of stream) {
      for (let i = 0; i < batch.length; i++) streamed[batch.indexOf(i)] = bits(batch.row(i))
    }
    expect(streamed).toEqual(expected)
    if (order === 'input') expect(rows).toEqual(expected)
  })
})

describe('a batch', () => {
  it('has batchSize rows, the last one the rest', async () => {
    const lengths: number[] = []
    for await (const batch of model.embed(TEXTS, { batchSize: 128 })) lengths.push(batch.length)
    expect(lengths).toEqual([128, 128, 44])
  })

  it('has rows that are views of its data', async () => {
    await using batches = model.embed(TEXTS, { batchSize: 4 })[Symbol.asyncIterator]()
    const { value: batch } = await batches.next()
    expect(batch.row(2).buffer).toBe(batch.data.buffer)
    expect([...batch.row(2)]).toEqual([...batch.data.subarray(80, 120)])
  })

  it('keeps its values when others come and go, and when the model is closed', async () => {
    const other = await TextEmbedding.create({ modelPath: goldenModel('custom_both'), pooling: 'mean' })
    const kept = await other.embed(TEXTS.slice(0, 50)).toMatrix()
    const before = bits(kept.data)
    for (let i = 0; i < 20; i++) await other.embed(TEXTS).toArray()
    await other.close()
    expect(bits(kept.data)).toBe(before)
  })
})

describe('a stream', () => {
  it('is read once', async () => {
    const stream = model.embed('a')
    await stream.toArray()
    await expect(stream.toArray()).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    expect(() => stream.rows()).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }))
  })
})

describe('onProgress', () => {
  it('counts up to the end', async () => {
    await using bundled = await TextEmbedding.create({ overflow: 'truncate' })
    const seen: Progress[] = []
    const source = [...texts(250, { least: 5, most: 60 })]
    const { tokens } = await bundled.embed(source, { onProgress: (now) => seen.push(now) }).toMatrix()
    const last = seen.at(-1)
    expect(seen.length).toBeGreaterThan(1)
    expect(last).toMatchObject({ done: 250, total: 250 })
    for (const [i, { done }] of seen.entries()) expect(done).toBeGreaterThanOrEqual(seen[i - 1]?.done ?? 0)
    const perText = (last?.tokensPerSecond as number) / (last?.rowsPerSecond as number)
    expect(perText).toBeCloseTo(tokens.reduce((sum, count) => sum + count, 0) / 250, 1)
    expect(last?.paddingShare).toBeLessThan(0.5)
  })

  it('ends the call with what it throws', async () => {
    const mine = new Error('mine')
    const onProgress = () => {
      throw mine
    }
    await expect(model.embed('a', { onProgress }).toArray()).rejects.toBe(mine)
    expect(model.metrics().openJobs).toBe(0)
  })
})

describe('metrics', () => {
  it('count texts, tokens and runs', async () => {
    await using fresh = await TextEmbedding.create({
      modelPath: goldenModel('custom_both'),
      pooling: 'mean',
      overflow: 'truncate',
    })
    const { tokens } = await fresh.embed(TEXTS).toMatrix()
    const metrics = fresh.metrics()
    expect(metrics).toMatchObject({ inputs: 300, failedRuns: 0, waitingInputs: 0, openJobs: 0 })
    expect(metrics.tokens).toBe(tokens.reduce((sum, count) => sum + count, 0))
    expect(metrics.paddedTokens).toBeGreaterThanOrEqual(metrics.tokens)
    expect(metrics.runs).toBeGreaterThan(0)
  })
})
