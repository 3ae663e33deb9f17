/** One bad item never sinks its batch, and whatever a text holds, its vector is finite. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TextEmbedding } from '../../index.js'
import { goldenModel } from '../support/paths.js'
import { allFinite, bits, furthest, norm } from '../support/vectors.js'

const LONE_HIGH = '\ud800'
const LONE_LOW = '\udc00'

/** Strings that are texts, whatever they look like. */
const NASTY: Record<string, string> = {
  empty: '',
  blank: ' \t\r\n\u00a0\u2003\u3000',
  NUL: 'before\0after',
  'only NUL': '\0',
  'lone high surrogate': `a${LONE_HIGH}b`,
  'lone low surrogate': `${LONE_LOW}`,
  'surrogates the wrong way round': `x${LONE_LOW}${LONE_HIGH}y`,
  'half an emoji': '👩‍👩‍👧‍👦'.slice(0, 5),
  controls: '\u0001\u0008\u001b[31m\u007f\u0085\u009f',
  'byte order mark': '\ufeffstart',
  noncharacters: '\ufffe\uffff\u{1ffff}',
  'private use': '\ue000\u{f0000}',
  'right to left': 'שלום \u202eabc\u202c مرحبا',
  'a thousand marks': `a${'\u0301'.repeat(1000)}`,
  'zero width': '\u200b\u200c\u200d\u2060\ufeff',
  'special tokens': '[CLS] [SEP] [PAD] [MASK] [UNK] <s> </s>',
  'many emoji': '👩🏽‍💻🏳️‍🌈🇫🇷'.repeat(50),
  'a word of a megabyte': 'a'.repeat(2 ** 20),
  'a megabyte of one emoji': '😀'.repeat(2 ** 18),
  'a megabyte of blanks': ' '.repeat(2 ** 20),
  CJK: '自然言語処理は面白い。'.repeat(30),
  numbers: '1e309 NaN -Infinity 0xFFFFFFFF',
}

const MODELS = [
  { name: 'WordPiece', modelPath: undefined },
  { name: 'WordPiece, small', modelPath: goldenModel('custom_both') },
  { name: 'Unigram', modelPath: goldenModel('multilingual') },
  { name: 'byte-level BPE', modelPath: goldenModel('qwen') },
  { name: 'float16', modelPath: goldenModel('custom_fp16') },
]

describe.each(MODELS)('texts that are hard to read: $name', ({ modelPath }) => {
  let model: TextEmbedding
  beforeAll(async () => {
    model = await TextEmbedding.create({ modelPath, pooling: 'mean', overflow: 'truncate', normalize: true })
  })
  afterAll(() => model.close())

  it('each give a finite vector of length 1, the same as alone', async () => {
    const source = ['an ordinary text', ...Object.values(NASTY), 'an ordinary text']
    const rows = await model.embed(source).toArray()
    expect(rows.length).toBe(source.length)
    for (const [i, [name, text]] of Object.entries(NASTY).entries()) {
      const row = rows[i + 1] as Float32Array
      expect(allFinite(row), name).toBe(true)
      expect(norm(row), name).toBeCloseTo(1, 3)
      // Bit for bit is the subject of batch-independence.test.ts, which knows which graphs give it.
      const [alone] = await model.embed(text).toArray()
      expect(furthest(row, alone as Float32Array), `${name}: another vector alone`).toBeLessThan(1e-6)
    }
    expect(furthest(rows[0] as Float32Array, rows.at(-1) as Float32Array)).toBeLessThan(1e-6)
  })
})

it('reads a lone surrogate as U+FFFD, as encoding to UTF-8 does', async () => {
  await using model = await TextEmbedding.create()
  const [lone, replaced] = await model.embed([`a ${LONE_HIGH} b`, 'a \ufffd b']).toArray()
  expect(bits(lone as Float32Array)).toBe(bits(replaced as Float32Array))
})

it('reads past a NUL', async () => {
  await using model = await TextEmbedding.create()
  const [cut, whole] = await model.embed(['before', 'before\0after']).toArray()
  expect(bits(cut as Float32Array)).not.toBe(bits(whole as Float32Array))
})

describe('items that are no texts', () => {
  const BAD: unknown[] = [
    undefined,
    null,
    7,
    Number.NaN,
    true,
    1n,
    Symbol('x'),
    {},
    [],
    () => {},
    Buffer.from('x'),
  ]
  let model: TextEmbedding
  beforeAll(async () => {
    model = await TextEmbedding.create({ modelPath: goldenModel('custom_both') })
  })
  afterAll(() => model.close())

  it.each(BAD.map((bad) => ({ bad })))('end the stream with their index: $bad', async ({ bad }) => {
    const source = ['zero', 'one', bad as string, 'three']
    const error = await model
      .embed(source)
      .toArray()
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({ name: 'MillraceError', code: 'INPUT_INVALID', index: 2 })
  })

  it('after what precedes them was delivered', async () => {
    const source = [...Array(10).fill('text'), 5 as unknown as string]
    let delivered = 0
    const reading = (async () => {
      for await (const batch of model.embed(source, { batchSize: 4 })) delivered += batch.length
    })()
    await expect(reading).rejects.toMatchObject({ code: 'INPUT_INVALID', index: 10 })
    expect(delivered).toBe(10)
  })

  it('are reported beside the others when errors are collected', async () => {
    const texts = Array.from({ length: 100 }, (_, i) => `text ${i % 9}`)
    const source = texts.map((text, i) => (i % 10 === 4 ? (BAD[i % BAD.length] as string) : text))
    const good = await model.embed(texts).toArray()
    const rows = await model.embed(source, { errors: 'collect', batchSize: 7 }).toArray()
    expect(rows.length).toBe(100)
    for (const [i, row] of rows.entries()) {
      if (i % 10 === 4) expect(row).toBeNull()
      else expect(bits(row as Float32Array)).toBe(bits(good[i] as Float32Array))
    }
  })

  it('have their global index in every later batch', async () => {
    const source = Array.from({ length: 50 }, (_, i) =>
      i % 20 === 19 ? (null as unknown as string) : `t${i}`,
    )
    const found: number[] = []
    for await (const batch of model.embed(source, { errors: 'collect', batchSize: 6 })) {
      for (const [index, error] of batch.errors) {
        expect(error).toMatchObject({ code: 'INPUT_INVALID', index })
        expect(index).toBeGreaterThanOrEqual(batch.offset)
        expect(index).toBeLessThan(batch.offset + batch.length)
        expect(() => batch.row(index - batch.offset)).toThrow(error)
        found.push(index)
      }
    }
    expect(found).toEqual([19, 39])
  })
})
