/** Choosing and describing a model: names, directories, registration, prompts, lazy loading, bad directories and options. */

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TextEmbedding, type TextEmbeddingOptions } from '../../index.js'
import { BUNDLED, goldenModel } from '../support/paths.js'
import { bits, cosine } from '../support/vectors.js'

const modelPath = goldenModel('custom_both')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-models-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const vector = async (options: TextEmbeddingOptions | undefined, text = 'a text') => {
  await using model = await TextEmbedding.create({ ...options })
  return (await model.embed(text).toArray())[0] as Float32Array
}

describe('the bundled model', () => {
  it('is the default, and says what it is', async () => {
    await using model = await TextEmbedding.create()
    expect(await model.info()).toMatchObject({
      model: 'sentence-transformers/all-MiniLM-L6-v2',
      dim: 384,
      pooling: 'mean',
      normalize: true,
      maxLength: 256,
      quantization: 'weight-only',
      rowByRow: false,
    })
  })

  it('knows what is alike', async () => {
    await using model = await TextEmbedding.create()
    const [partition, disk, cake] = await model
      .embed([
        'How do I resize a partition?',
        'Changing the size of a disk volume',
        'A recipe for apple cake',
      ])
      .toArray()
    const near = cosine(partition as Float32Array, disk as Float32Array)
    const far = cosine(partition as Float32Array, cake as Float32Array)
    expect(near).toBeGreaterThan(far + 0.3)
  })

  it('is the same by name, in any letter case, by path and by URL', async () => {
    const expected = bits(await vector(undefined))
    for (const options of [
      { model: 'Sentence-Transformers/ALL-minilm-l6-V2' },
      { modelPath: BUNDLED },
      { modelPath: pathToFileURL(BUNDLED) },
      { modelPath: BUNDLED, modelFile: 'model_w8.onnx', localFilesOnly: true, cacheDir: folder },
    ]) {
      expect(bits(await vector(options))).toBe(expected)
    }
  })

  it.each([{ parallel: null }, { parallel: 0 }, { parallel: 1 }, { parallel: 1, threads: 1 }])(
    'is as exact with other threads: %j',
    async (options) => {
      expect(cosine(await vector(options), await vector(undefined))).toBeGreaterThan(0.999999)
    },
  )
})

describe('a registered model', () => {
  it('is created by its name', async () => {
    TextEmbedding.addCustomModel({
      model: 'acme/first-token',
      modelPath,
      pooling: 'cls',
      normalize: false,
      dim: 40,
    })
    expect(bits(await vector({ model: 'ACME/first-token' }))).toBe(
      bits(await vector({ modelPath, pooling: 'cls', normalize: false })),
    )
    expect(TextEmbedding.listSupportedModels().map(({ model }) => model)).toContain('acme/first-token')
    expect(() => TextEmbedding.addCustomModel({ model: 'Acme/First-Token', modelPath })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })
})

describe('lazyLoad', () => {
  it('loads once at the first use, for all who come at once', async () => {
    await using model = await TextEmbedding.create({ modelPath, lazyLoad: true })
    expect(model.metrics().inputs).toBe(0)
    const rows = await Promise.all(Array.from({ length: 8 }, () => model.embed('a text').toArray()))
    expect(new Set(rows.map(([row]) => bits(row as Float32Array))).size).toBe(1)
    expect(model.metrics().inputs).toBe(8)
  })

  it('brings the error at the first use, and again', async () => {
    const model = await TextEmbedding.create({ modelPath: join(folder, 'nowhere'), lazyLoad: true })
    for (let i = 0; i < 2; i++) {
      await expect(model.embed('a').toArray()).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    }
    await model.close()
  })
})

describe('prompts', () => {
  it('are none unless asked for, and go before the text', async () => {
    await using model = await TextEmbedding.create({
      modelPath,
      prompts: { query: 'query: ', passage: 'passage: ' },
    })
    const row = async (stream: { toArray(): Promise<Float32Array[]> }) =>
      bits((await stream.toArray())[0] as Float32Array)
    const plain = async (text: string) => bits(await vector({ modelPath }, text))
    expect(await row(model.queryEmbed('a'))).toBe(await plain('query: a'))
    expect(await row(model.passageEmbed('a'))).toBe(await plain('passage: a'))
    expect(await row(model.embed('a'))).toBe(await plain('a'))
    expect(await row(model.queryEmbed('a', { prompt: '' }))).toBe(await plain('a'))
    expect(await row(model.embed('a', { prompt: 'other: ' }))).toBe(await plain('other: a'))
  })
})

describe('a directory that is wrong', () => {
  const broken: Record<string, { code: string; make: (dir: string) => void }> = {
    'is empty': { code: 'MODEL_NOT_FOUND', make: () => {} },
    'has no tokenizer': { code: 'MODEL_NOT_FOUND', make: (dir) => rmSync(join(dir, 'tokenizer.json')) },
    'has a tokenizer that is no JSON': {
      code: 'MODEL_INVALID',
      make: (dir) => writeFileSync(join(dir, 'tokenizer.json'), '{ "version": '),
    },
    'has a graph that is none': {
      code: 'MODEL_INVALID',
      make: (dir) => writeFileSync(join(dir, 'onnx/model.onnx'), Buffer.alloc(4096, 7)),
    },
    'has an empty graph': {
      code: 'MODEL_INVALID',
      make: (dir) => writeFileSync(join(dir, 'onnx/model.onnx'), ''),
    },
    'has an image graph': {
      code: 'MODEL_INVALID',
      make: (dir) => cpSync(join(goldenModel('clip_vision'), 'model.onnx'), join(dir, 'onnx/model.onnx')),
    },
    'says no limit': {
      code: 'MODEL_INVALID',
      make: (dir) => writeFileSync(join(dir, 'tokenizer_config.json'), '{"pad_token":"[PAD]"}'),
    },
  }

  it.each(Object.entries(broken))('%s: a typed error that names it', async (name, { code, make }) => {
    const dir = join(folder, name.replaceAll(' ', '-'))
    if (name === 'is empty') mkdirSync(dir)
    else cpSync(modelPath, dir, { recursive: true })
    make(dir)
    const error = await TextEmbedding.create({ modelPath: dir }).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ name: 'MillraceError', code })
    expect((error as Error).message).toContain(dir)
  })

  it('or a file that is not there', async () => {
    for (const options of [{ modelPath: join(folder, 'none') }, { modelPath, modelFile: 'none.onnx' }]) {
      await expect(TextEmbedding.create(options)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    }
  })
})

describe('options that are wrong', () => {
  const wrong: [TextEmbeddingOptions, RegExp][] = [
    [{ batchSize: 0 }, /^Expected positive integer for batchSize but received 0 of type number/],
    [{ device: 'gpu' as 'cuda' }, /^Expected one of .*'auto' for device but received 'gpu' of type string/],
    [{ threads: 1.5 }, /^Expected positive integer for threads but received 1.5/],
    [{ maxLength: 100_000, modelPath }, /^Expected .* for maxLength .*but received 100000/],
    [{ outputName: 'nope', modelPath }, /^Expected .* for outputName but received 'nope'/],
    [{ batch_size: 4 } as TextEmbeddingOptions, /batchSize/],
    [{ cuda: true } as TextEmbeddingOptions, /device/],
    [{ dtype: 'float64' as 'float32' }, /^Expected one of .* for dtype but received 'float64'/],
  ]
  it.each(wrong)('are refused with what was expected: %j', async (options, message) => {
    const error = await TextEmbedding.create(options).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ name: 'MillraceError', code: 'INVALID_OPTION' })
    expect((error as Error).message).toMatch(message)
  })
})
