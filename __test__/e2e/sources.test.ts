/** Every kind of source gives the same rows, and a source's own error reaches the caller untouched. */

import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TextEmbedding, type TextSource } from '../../index.js'
import { goldenModel } from '../support/paths.js'
import { texts } from '../support/texts.mjs'
import { bits } from '../support/vectors.js'

const TEXTS = [...texts(500, { least: 1, most: 12 })]
let model: TextEmbedding
let expected: string[]

beforeAll(async () => {
  model = await TextEmbedding.create({
    modelPath: goldenModel('custom_both'),
    pooling: 'mean',
    overflow: 'truncate',
  })
  expected = (await model.embed(TEXTS).toArray()).map(bits)
})
afterAll(() => model.close())

function* generated() {
  yield* TEXTS
}

async function* generatedSlowly() {
  for (const [i, text] of TEXTS.entries()) {
    if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 3))
    yield text
  }
}

const SOURCES: Record<string, () => TextSource> = {
  array: () => TEXTS,
  'frozen array': () => Object.freeze([...TEXTS]) as string[],
  generator: generated,
  'async generator': generatedSlowly,
  'Map of values': () => new Map(TEXTS.map((text, i) => [i, text])).values(),
  'Readable of Node': () => Readable.from(TEXTS),
  'web stream': () => ReadableStream.from(TEXTS) as ReadableStream<string>,
  'web stream that pushes': () =>
    new ReadableStream<string>({
      start(controller) {
        for (const text of TEXTS) controller.enqueue(text)
        controller.close()
      },
    }),
  'iterator of another library': () => ({
    [Symbol.asyncIterator]() {
      let i = 0
      return { next: async () => (i < TEXTS.length ? { done: false, value: TEXTS[i++] as string } : END) }
    },
  }),
}
const END = { done: true, value: undefined } as const

describe('a source', () => {
  it.each(Object.entries(SOURCES))('gives its rows in order: %s', async (_, source) => {
    const rows = await model.embed(source(), { batchSize: 33 }).toArray()
    expect(rows.map(bits)).toEqual(expected)
  })

  it('of one string is one text, not its characters', async () => {
    const text = TEXTS[3] as string
    expect((await model.embed(text).toArray()).map(bits)).toEqual([expected[3]])
    expect((await model.queryEmbed(text).toArray()).map(bits)).toEqual([expected[3]])
    expect(await model.tokenCount(text)).toBe(await model.tokenCount([text]))
  })

  it.each(Object.entries(SOURCES))('is counted in tokens: %s', async (_, source) => {
    const { tokens } = await model.embed(TEXTS).toMatrix()
    expect(await model.tokenCount(source())).toBe(tokens.reduce((sum, count) => sum + count, 0))
  })

  it('that is empty gives nothing', async () => {
    for (const source of [[], generatedNothing(), Readable.from([]), new Set<string>()]) {
      expect(await model.embed(source as TextSource).toArray()).toEqual([])
    }
    const matrix = await model.embed([]).toMatrix()
    expect(matrix).toMatchObject({ offset: 0, length: 0, dim: 40 })
    expect(matrix.data).toHaveLength(0)
    expect(await model.tokenCount([])).toBe(0)
    for await (const _ of model.embed([])) throw new Error('a batch of nothing')
  })
})

async function* generatedNothing(): AsyncGenerator<string> {}

describe('an error of the source', () => {
  const mine = new Error('mine')
  const failing: Record<string, () => TextSource> = {
    generator: function* () {
      yield 'one'
      throw mine
    },
    'async generator': async function* () {
      yield 'one'
      throw mine
    },
    Readable: () =>
      new Readable({
        objectMode: true,
        read() {
          this.destroy(mine)
        },
      }),
    'web stream': () => new ReadableStream<string>({ pull: (controller) => controller.error(mine) }),
  }

  it.each(Object.entries(failing))('comes through: %s', async (_, source) => {
    await expect(model.embed(source()).toArray()).rejects.toBe(mine)
    await expect(model.tokenCount(source())).rejects.toBe(mine)
    expect(model.metrics().openJobs).toBe(0)
  })
})

describe('what is no source', () => {
  it.each([{ no: undefined }, { no: null }, { no: 5 }, { no: {} }, { no: { length: 2 } }])(
    'is refused at once: $no',
    ({ no }) => {
      expect(() => model.embed(no as unknown as string)).toThrow(
        expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining('but received') }),
      )
    },
  )
})
