/** The cache as users meet it: classes, options, keys that tell rows apart, closing, several processes. */

import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  disk,
  ImageEmbedding,
  LateInteractionTextEmbedding,
  memory,
  SparseTextEmbedding,
  TextCrossEncoder,
  TextEmbedding,
  tieredCache,
} from '../../index.js'
import { goldenModel } from '../support/paths.js'
import { bits, furthest } from '../support/vectors.js'

const inMemory = () => tieredCache([memory({ maxBytes: 1e8 })])
const TEXTS = Array.from({ length: 24 }, (_, i) => `the ${i % 9} mills of the valley`)

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'millrace-cache-'))
})
afterEach(async () => {
  await rm(dir, { recursive: true, force: true })
})

describe('dense text', () => {
  it('gives the same bits from the cache in every format, and never one format for another', async () => {
    const cache = inMemory()
    await using model = await TextEmbedding.create({ cache })
    const shapes = [
      {},
      ...(['float16', 'int8', 'uint8', 'binary', 'ubinary'] as const).map((dtype) => ({ dtype })),
      { dimensions: 64 },
      { normalize: false },
      { maxLength: 5 },
      { prompt: 'query: ' },
      { overflow: 'error' as const },
    ]
    for (const options of shapes) {
      const runs = model.metrics().inputs
      const plain = await model.embed(TEXTS, { ...options, cache: false }).toMatrix()
      const cold = await model.embed(TEXTS, options).toMatrix()
      const warm = await model.embed(TEXTS, { ...options, batchSize: 5 }).toMatrix()
      expect(model.metrics().inputs - runs).toBe(TEXTS.length + 9)
      for (const batch of [cold, warm]) {
        expect(bits(batch.data)).toBe(bits(plain.data))
        expect(batch.tokens).toEqual(plain.tokens)
        expect(batch.truncated).toEqual(plain.truncated)
        expect(batch.scales).toEqual(plain.scales)
        expect({ dim: batch.dim, dtype: batch.dtype }).toEqual({ dim: plain.dim, dtype: plain.dtype })
      }
    }
    expect(cache.metrics().misses).toBe(9 * shapes.length)
    // Options that do not change a row share it.
    await model
      .embed(TEXTS, { priority: 3, order: 'completion', errors: 'collect', maxLength: 256 })
      .toArray()
    expect(cache.metrics().misses).toBe(9 * shapes.length)
  })

  it('gives the chunks of long texts from the cache, pooled and each, in every tier', async () => {
    const long = TEXTS.map((text, i) => `${text}. `.repeat(1 + (i % 9)))
    const options = { maxLength: 12, chunkOverlap: 2, order: 'input' } as const
    const cache = tieredCache([memory({ maxBytes: 4096 }), disk(dir, { maxBytes: 1e8 })])
    await using model = await TextEmbedding.create({ cache })
    for (const dtype of ['float32', 'int8', 'ubinary'] as const) {
      const pooled = () => model.embed(long, { ...options, dtype, overflow: 'chunk' }).toMatrix()
      const plain = await model.embed(long, { ...options, dtype, overflow: 'chunk', cache: false }).toMatrix()
      const each = await model.embedChunks(long, { ...options, dtype, cache: false }).toMatrix()
      const computed = model.metrics().inputs
      for (const round of ['cold', 'warm']) {
        const again = await pooled()
        expect(bits(again.data), round).toBe(bits(plain.data))
        expect([again.tokens, again.scales]).toEqual([plain.tokens, plain.scales])
        const chunks = await model.embedChunks(long, { ...options, dtype }).toMatrix()
        expect(bits(chunks.data), round).toBe(bits(each.data))
        expect({ ...chunks, errors: undefined }).toEqual({ ...each, errors: undefined })
        expect(model.metrics().inputs - computed, round).toBe(2 * 9)
        await cache.flush()
      }
    }
  })

  it('keeps rows of models apart by the content of their files, and together across directories', async () => {
    const cache = inMemory()
    const source = goldenModel('minilm')
    for (const [name, computed] of [
      ['one', 9],
      ['copy', 0],
      ['changed', 9],
    ] as const) {
      const modelPath = join(dir, name)
      await cp(source, modelPath, { recursive: true })
      const config = join(modelPath, 'config.json')
      if (name === 'changed') await writeFile(config, `${await readFile(config, 'utf8')}\n`)
      await using model = await TextEmbedding.create({ modelPath, pooling: 'mean', cache })
      await model.embed(TEXTS).toArray()
      expect(model.metrics().inputs, name).toBe(computed)
    }
  })

  it('does without for fixed slices, and where the call says so', async () => {
    const cache = inMemory()
    await using model = await TextEmbedding.create({ cache })
    await model.embed(TEXTS, { batching: 'fixed' }).toArray()
    await model.embed(TEXTS, { cache: false }).toArray()
    expect(cache.metrics()).toMatchObject({ hits: 0, misses: 0 })
    const other = inMemory()
    await model.embed(TEXTS, { cache: other }).toArray()
    expect(other.metrics()).toMatchObject({ misses: 9 })
    expect(model.metrics().cache).toMatchObject({ misses: 0, tiers: [{ name: 'memory' }] })
    expect((await model.embed(TEXTS).toArray()).length).toBe(TEXTS.length)
  })

  it('shares rows among concurrent calls', async () => {
    await using model = await TextEmbedding.create({ cache: inMemory() })
    const calls = Array.from({ length: 6 }, () => model.embed(TEXTS).toMatrix())
    const [first, ...others] = await Promise.all(calls)
    for (const batch of others) expect(bits(batch.data)).toBe(bits(first?.data as Float32Array))
    expect(model.metrics().inputs).toBe(9)
  })

  it('reports a text that is too long as without a cache', async () => {
    await using model = await TextEmbedding.create({ cache: inMemory() })
    const source = ['short', 'much too long for four tokens', 'short']
    const options = { maxLength: 4, overflow: 'error' } as const
    for (let round = 0; round < 2; round++) {
      await expect(model.embed(source, options).toArray()).rejects.toMatchObject({
        code: 'INPUT_TOO_LONG',
        index: 1,
      })
      const rows = await model.embed(source, { ...options, errors: 'collect' }).toArray()
      expect(rows.map((row) => row === null)).toEqual([false, true, false])
    }
  })

  it('ends calls with CLOSED when the model closes, and writes what waits', async () => {
    const cache = tieredCache([disk(dir, { maxBytes: 1e8 })])
    const model = await TextEmbedding.create({ cache })
    function* endless() {
      for (let i = 0; ; i++) yield `number ${i}`
    }
    const batches = model.embed(endless(), { batchSize: 16 })[Symbol.asyncIterator]()
    const first = await batches.next()
    expect(first.value?.length).toBe(16)
    const closing = model.close()
    const rest = async () => {
      for (;;) if ((await batches.next()).done === true) return
    }
    await expect(rest()).rejects.toMatchObject({ code: 'CLOSED' })
    await closing
    expect(cache.metrics().tiers[0]).toMatchObject({ waiting: 0, dropped: 0 })
    await cache.close()
    await expect(model.embed('x').toArray()).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('refuses a cache that is none', async () => {
    for (const cache of [true, {}, 'memory', memory({ maxBytes: 1 })]) {
      await expect(TextEmbedding.create({ cache: cache as never, lazyLoad: true })).rejects.toMatchObject({
        code: 'INVALID_OPTION',
      })
    }
  })
})

describe('other families', () => {
  it('sparse rows come back as they were, queries apart from documents', async () => {
    const cache = inMemory()
    await using model = await SparseTextEmbedding.create({ model: 'Qdrant/bm25', cache })
    for (const embed of ['embed', 'queryEmbed'] as const) {
      const plain = await model[embed](TEXTS, { cache: false }).toMatrix()
      for (let round = 0; round < 2; round++) {
        const { indices, values, rowOffsets } = await model[embed](TEXTS).toMatrix()
        expect({ indices, values, rowOffsets }).toEqual({
          indices: plain.indices,
          values: plain.values,
          rowOffsets: plain.rowOffsets,
        })
      }
    }
    expect(cache.metrics().misses).toBe(18)
    await using german = await SparseTextEmbedding.create({ model: 'Qdrant/bm25', language: 'german', cache })
    await german.embed(TEXTS).toArray()
    expect(cache.metrics().misses).toBe(27)
    const stemmer = (word: string) => word.slice(0, 3)
    await using own = await SparseTextEmbedding.create({ model: 'Qdrant/bm25', stemmer, cache })
    await own.embed(TEXTS).toArray()
    expect(cache.metrics().misses).toBe(27)
  })

  it('multi-vectors', async () => {
    const cache = inMemory()
    await using model = await LateInteractionTextEmbedding.create({
      modelPath: goldenModel('colbert'),
      cache,
    })
    const plain = await model.embed(TEXTS, { cache: false }).toMatrix()
    for (let round = 0; round < 2; round++) {
      const { data, rowOffsets } = await model.embed(TEXTS, { batchSize: 7 }).toMatrix()
      expect(bits(data)).toBe(bits(plain.data))
      expect(rowOffsets).toEqual(plain.rowOffsets)
    }
    expect(cache.metrics().misses).toBe(9)
  })

  it('scores of pairs', async () => {
    const cache = inMemory()
    await using model = await TextCrossEncoder.create({ modelPath: goldenModel('rr_bert'), cache })
    const plain = await model.rerank('which mill?', TEXTS, { cache: false }).toArray()
    for (let round = 0; round < 2; round++) {
      const scores = await model.rerank('which mill?', TEXTS).toArray()
      // The last bits of this graph's scores depend on how many rows a run has.
      expect(furthest(scores, plain)).toBeLessThan(1e-5)
      const ranked = await model.rerank('which mill?', TEXTS, { topN: 3 })
      expect(ranked).toHaveLength(3)
    }
    const pairs = TEXTS.map((text): [string, string] => ['which mill?', text])
    expect(furthest(await model.rerankPairs(pairs).toArray(), plain)).toBeLessThan(1e-5)
    expect(cache.metrics().misses).toBe(9)
    await model.rerank('another?', TEXTS).toArray()
    expect(cache.metrics().misses).toBe(18)
  })

  it('images by what they hold, and errors of files as without a cache', async () => {
    const cache = inMemory()
    await using model = await ImageEmbedding.create({ modelPath: goldenModel('clip_vision'), cache })
    const pixels = (shade: number) => ({
      data: new Uint8Array(40 * 30 * 3).fill(shade),
      width: 40,
      height: 30,
      channels: 3 as const,
    })
    const source = [pixels(1), pixels(2), pixels(1), join(dir, 'missing.png'), pixels(2)]
    const options = { errors: 'collect' } as const
    const plain = await model.embed(source, { ...options, cache: false }).toArray()
    for (let round = 0; round < 2; round++) {
      const rows = await model.embed(source, options).toArray()
      expect(rows.map((row) => row && bits(row))).toEqual(plain.map((row) => row && bits(row)))
    }
    expect(cache.metrics().misses).toBe(2)
    await expect(model.embed(source).toArray()).rejects.toMatchObject({ code: 'IMAGE_INVALID', index: 3 })
  })
})

describe('several processes on one directory', () => {
  const run = (args: (string | number)[], killAfterLines = Number.POSITIVE_INFINITY) =>
    new Promise<{ code: number | null; out: string }>((resolve, reject) => {
      const file = join(import.meta.dirname, 'children', 'embed.mjs')
      const child = spawn(process.execPath, [file, ...args.map(String)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let out = ''
      child.stdout.setEncoding('utf8').on('data', (piece: string) => {
        out += piece
        if (out.split('\n').length > killAfterLines) child.kill('SIGKILL')
      })
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, out }))
    })

  it('write side by side, and a killed one costs nothing that it had flushed', async () => {
    const [killed, ...others] = await Promise.all([
      run([dir, 0, 300, 1000], 4),
      run([dir, 0, 400, 6]),
      run([dir, 200, 600, 6]),
    ])
    expect(killed?.code).toBeNull()
    expect(others.map(({ code }) => code)).toEqual([0, 0])
    const { out } = await run([dir, 0, 600, 6])
    const metrics = JSON.parse(out.slice(out.lastIndexOf('\n') + 1))
    expect(metrics).toMatchObject({ hits: 3600, misses: 0, tiers: [{ corrupt: 0, errors: 0, timeouts: 0 }] })
  })
})
