/** Nothing is cut in silence: counts and flags on each batch, one warning a process, and `overflow: 'error'`. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TextEmbedding } from '../../index.js'
import { reportOf } from '../support/run-child.js'
import { bits } from '../support/vectors.js'

/** One token a word in the bundled model, and two special tokens a text. */
const ofTokens = (count: number): string =>
  Array(count - 2)
    .fill('hello')
    .join(' ')

describe('a text at the limit', () => {
  let model: TextEmbedding
  let limit = 0

  beforeAll(async () => {
    model = await TextEmbedding.create({ overflow: 'truncate' })
    limit = (await model.info()).maxLength ?? 0
  })
  afterAll(() => model.close())

  it('is flagged from the first token too many', async () => {
    expect(limit).toBe(256)
    const source = [limit - 1, limit, limit + 1, 3 * limit].map(ofTokens)
    const { tokens, truncated } = await model.embed(source).toMatrix()
    expect([...tokens]).toEqual([limit - 1, limit, limit, limit])
    expect([...truncated]).toEqual([0, 0, 1, 1])
    expect(await model.tokenCount(source)).toBe(4 * limit - 1)
  })

  it('of one megabyte gives the vector of its first tokens', async () => {
    const huge = 'hello '.repeat(2 ** 20 / 6)
    const matrix = await model.embed([huge, ofTokens(limit)]).toMatrix()
    expect([...matrix.truncated]).toEqual([1, 0])
    expect([...matrix.tokens]).toEqual([limit, limit])
    expect(bits(matrix.row(0))).toBe(bits(matrix.row(1)))
  })

  it('follows maxLength of the call', async () => {
    const matrix = await model.embed([ofTokens(9), ofTokens(10), ofTokens(11)], { maxLength: 10 }).toMatrix()
    expect([...matrix.truncated]).toEqual([0, 0, 1])
    expect([...matrix.tokens]).toEqual([9, 10, 10])
    expect(bits(matrix.row(1))).toBe(bits(matrix.row(2)))
    expect(await model.tokenCount([ofTokens(11)], { maxLength: 10 })).toBe(10)
  })

  it("fails with its index when overflow is 'error'", async () => {
    const source = ['short', 'also short', ofTokens(limit), ofTokens(limit + 1), 'never reached']
    const failing = model.embed(source, { overflow: 'error' }).toArray()
    await expect(failing).rejects.toMatchObject({ code: 'INPUT_TOO_LONG', index: 3 })
  })

  it('leaves the others alone when errors are collected', async () => {
    const source = Array.from({ length: 40 }, (_, i) => ofTokens(i % 10 === 3 ? limit + 1 + i : 5 + i))
    const matrix = await model
      .embed(source, { overflow: 'error', errors: 'collect', batchSize: 8 })
      .toMatrix()
    expect([...matrix.errors.keys()]).toEqual([3, 13, 23, 33])
    for (const error of matrix.errors.values()) expect(error.code).toBe('INPUT_TOO_LONG')
    expect(bits(matrix.row(4))).toBe(bits((await model.embed(ofTokens(9)).toArray())[0] as Float32Array))
  })

  it('counts a prompt', async () => {
    const matrix = await model.embed([ofTokens(limit)], { prompt: 'hello ' }).toMatrix()
    expect([...matrix.truncated]).toEqual([1])
    expect(await model.tokenCount(['hello'], { prompt: 'hello ' })).toBe(4)
  })
})

describe('the warning', () => {
  it('is given once a process when nobody chose', async () => {
    expect(await reportOf('warnings.mjs', { args: ['default'] })).toEqual(['MILLRACE_TRUNCATED'])
  })

  it.each(['call', 'model', 'short'])('is not given: %s', async (scenario) => {
    expect(await reportOf('warnings.mjs', { args: [scenario] })).toEqual([])
  })
})
