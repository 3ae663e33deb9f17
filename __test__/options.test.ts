/** Every option is checked before anything starts, and its defaults. */
import { describe, expect, it } from 'vitest'
import { TextEmbedding } from '../index.js'
import { parseCall } from '../src/options/call.js'
import {
  type CallDefaults,
  denseDefaultChecks,
  type EmbedOptions,
  embedChecks,
} from '../src/options/dense.js'
import { parseModel as parseAnyModel } from '../src/options/model.js'
import { type TextEmbeddingOptions, textModelChecks } from '../src/options/text.js'

const call = (options: unknown, defaults = {}, priority = 0) =>
  parseCall<EmbedOptions>('embed', options, embedChecks, defaults, priority)

const parseModel = (where: string, options: unknown) =>
  parseAnyModel<TextEmbeddingOptions, CallDefaults>(
    where,
    options,
    { ...denseDefaultChecks, ...textModelChecks },
    denseDefaultChecks,
  )

describe('options of a call', () => {
  it('have defaults', () => {
    expect(call(undefined)).toEqual({
      job: {
        batchSize: 256,
        batching: 'planned',
        order: 'input',
        overflow: 'truncate',
        errors: 'throw',
        dtype: 'float32',
        priority: 0,
      },
      overflowChosen: false,
      options: {},
    })
  })

  it('go over those of the model', () => {
    const { job, overflowChosen } = call(
      { dtype: 'int8', batchSize: undefined },
      { dtype: 'uint8', batchSize: 8, overflow: 'error' },
    )
    expect([job.dtype, job.batchSize, job.overflow, overflowChosen]).toEqual(['int8', 8, 'error', true])
  })

  it('keep queries ahead of bulk work', () => {
    expect(call({}, {}, 10).job.priority).toBe(10)
    expect(call({}, { priority: 5 }, 10).job.priority).toBe(15)
    expect(call({ priority: -2 }, { priority: 5 }, 10).job.priority).toBe(-2)
  })

  it('that TypeScript handles do not reach the job', () => {
    const { signal } = new AbortController()
    const onProgress = () => {}
    const parsed = call({ signal, onProgress, total: 0, prompt: '', maxLength: 5 })
    expect(parsed).toMatchObject({ signal, onProgress, total: 0, options: { prompt: '' } })
    expect(Object.keys(parsed.job).sort()).toEqual(
      ['batchSize', 'batching', 'dtype', 'errors', 'maxLength', 'order', 'overflow', 'priority'].sort(),
    )
  })

  it.each([
    [{ batchSize: 0 }, 'Expected positive integer for batchSize but received 0 of type number'],
    [{ batchSize: 2 ** 31 }, 'batchSize'],
    [{ batchSize: '8' }, "Expected positive integer for batchSize but received '8' of type string"],
    [
      { batching: 'sorted' },
      "Expected one of 'planned', 'fixed' for batching but received 'sorted' of type string",
    ],
    [{ order: null }, 'order'],
    [{ overflow: 'cut' }, 'overflow'],
    [{ overflow: 'cut' }, 'overflow'],
    [{ maxLength: 1.5 }, 'maxLength'],
    [{ normalize: 1 }, 'Expected boolean for normalize but received 1 of type number'],
    [{ dimensions: -3 }, 'dimensions'],
    [{ dtype: 'float64' }, 'dtype'],
    [{ errors: 'ignore' }, 'errors'],
    [{ priority: 0.5 }, 'priority'],
    [{ priority: Number.NaN }, 'priority'],
    [{ timeoutMs: 0 }, 'timeoutMs'],
    [{ timeoutMs: Number.POSITIVE_INFINITY }, 'timeoutMs'],
    [{ signal: {} }, 'Expected AbortSignal for signal but received Object of type object'],
    [{ onProgress: true }, 'Expected function for onProgress'],
    [{ total: -1 }, 'total'],
    [{ prompt: 5 }, 'Expected string for prompt'],
    [
      { batch_size: 5 },
      "Expected a known option for embed but received 'batch_size', did you mean 'batchSize'?",
    ],
    [{ __proto__: null, toString: 1 }, "received 'toString'"],
    [7, 'Expected object for options of embed'],
    [[], 'Expected object for options of embed'],
    [null, 'Expected object for options of embed'],
  ])('%o is refused', (options, message) => {
    expect(() => call(options)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    expect(() => call(options)).toThrow(message)
  })
})

describe('options of a model', () => {
  it('keep the defaults of its calls apart', () => {
    const { model, calls } = parseModel('create', {
      model: 'm',
      parallel: null,
      batchSize: 3,
      errors: 'collect',
      threads: undefined,
    })
    expect(model).toEqual({ model: 'm', parallel: null })
    expect(calls).toEqual({ batchSize: 3, errors: 'collect' })
  })

  it('take memory in bytes or with a unit', () => {
    const bytesOf = (maxMemory: number | string) => parseModel('create', { maxMemory }).model.maxMemory
    expect(bytesOf(4096)).toBe(4096)
    expect(bytesOf('512MB')).toBe(512_000_000)
    expect(bytesOf('1.5 GiB')).toBe(1_610_612_736)
    expect(bytesOf('64kib')).toBe(65_536)
    expect(bytesOf('100')).toBe(100)
  })

  it('take a directory as path or URL', () => {
    expect(parseModel('create', { modelPath: new URL('file:///models/a%20b') }).model.modelPath).toBe(
      '/models/a b',
    )
    expect(parseModel('create', { modelPath: 'x' }).model.modelPath).toBe('x')
  })

  it.each([
    [{ model: '' }, 'Expected non-empty string for model'],
    [{ modelPath: new URL('ftp://host/x') }, 'file: URL'],
    [{ threads: 0 }, 'threads'],
    [{ parallel: -1 }, 'Expected integer from 0, or null for parallel'],
    [{ device: 'gpu' }, "Expected one of 'cpu', 'cuda', 'auto' for device"],
    [{ device: 'cuda', deviceIds: [] }, 'deviceIds'],
    [{ device: 'cuda', deviceIds: [0, 0] }, 'deviceIds'],
    [{ device: 'cuda', deviceIds: [0, -1] }, 'deviceIds[1]'],
    [{ deviceIds: [0] }, "no value with device 'cpu'"],
    [{ maxBatchTokens: 0 }, 'maxBatchTokens'],
    [
      { maxMemory: 0 },
      "Expected positive integer of bytes, or a string such as '512MB' or '1.5GiB', for maxMemory",
    ],
    [{ maxMemory: '512 megabytes' }, "received '512 megabytes'"],
    [{ maxMemory: '-1MB' }, 'maxMemory'],
    [{ batchInvariance: 'yes' }, 'batchInvariance'],
    [{ pooling: 'avg' }, 'pooling'],
    [{ prompts: 'query' }, "Expected 'none', 'auto' or { query?, passage? } for prompts"],
    [{ prompts: { document: 'x' } }, "received 'document'"],
    [{ prompts: { query: 3 } }, 'Expected string for query'],
    [{ maxQueue: 0 }, 'maxQueue'],
    [{ lazyLoad: 0 }, 'lazyLoad'],
    [{ cacheDir: 3 }, 'cacheDir'],
    [{ localFilesOnly: 'no' }, 'localFilesOnly'],
    [{ signal: 'now' }, 'Expected AbortSignal for signal'],
    [{ onDownload: 1 }, 'Expected function for onDownload'],
    [{ specific_model_path: '/x' }, "did you mean 'modelPath'?"],
  ])('%o is refused', async (options, message) => {
    const created = TextEmbedding.create(options as never)
    await expect(created).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(created).rejects.toThrow(message)
  })
})

describe('a call on a model', () => {
  it('refuses bad options and sources before it is read', async () => {
    const model = await TextEmbedding.create({ modelPath: '/nowhere', lazyLoad: true })
    expect(() => model.embed(['a'], { batchSize: 0 })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
    expect(() => model.queryEmbed(7 as never)).toThrow(
      'Expected string, or iterable, async iterable or ReadableStream of such, for source but received 7 of type number',
    )
    expect(() => model.passageEmbed({} as never)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }))
    await expect(model.tokenCount(null as never)).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    await expect(model.tokenCount([], { batchSize: 1 } as never)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    })
    await expect(model.close({ timeoutMs: -1 })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })

  it('is refused after close, though nothing was ever loaded', async () => {
    const model = await TextEmbedding.create({ modelPath: '/nowhere', lazyLoad: true })
    expect(model.metrics().inputs).toBe(0)
    await model.close()
    await model[Symbol.asyncDispose]()
    await expect(model.embed(['a']).toArray()).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(model.info()).rejects.toMatchObject({ code: 'CLOSED' })
    expect(model.metrics().inputs).toBe(0)
  })
})
