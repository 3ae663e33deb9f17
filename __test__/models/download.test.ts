/** `create` and the model store: what is downloaded and when, progress, aborting, prompts of a registered model. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { type DownloadProgress, SparseTextEmbedding, TextCrossEncoder, TextEmbedding } from '../../index.js'
import { bareEnvironment, COMMIT, fixture } from '../store/support/fixture.js'
import { goldenModel } from '../support/paths.js'
import { PATIENCE_MS } from '../support/patience.js'
import { reportOf } from '../support/run-child.js'

const f = fixture()
const WEIGHTS = 'model_optimized.onnx'
const BGE = 'BAAI/bge-small-en-v1.5'
const BGE_REPO = 'Qdrant/bge-small-en-v1.5-onnx-Q'
const TEXTS = ['a mill race', 'the channel that feeds a water wheel']

let registered = 0

/** Serves a golden model under a repository's name, among files that nobody needs. */
function serve(golden: string, repo: string): Record<string, Buffer> {
  const dir = goldenModel(golden)
  const content = Object.fromEntries(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
      .map((name) => [name, readFileSync(join(dir, name))]),
  )
  f.hub.add(repo, COMMIT, {
    ...content,
    'README.md': '# model',
    'model.safetensors': Buffer.alloc(50_000),
    'onnx/model_fp16.onnx': Buffer.alloc(50_000),
  })
  vi.stubEnv('HF_ENDPOINT', f.hub.url)
  return content
}

/** Registers the golden model `minilm` by a repository; another name each time, as names stay registered. */
function custom(settings: Partial<Parameters<typeof TextEmbedding.addCustomModel>[0]> = {}): string {
  const model = `Test/Downloaded-${registered++}`
  const where = { model, repo: 'acme/minilm', modelFile: 'model.onnx' }
  TextEmbedding.addCustomModel({ ...where, pooling: 'mean', normalize: true, ...settings } as never)
  serve('minilm', 'acme/minilm')
  return model
}

const asked = () => new Set(f.hub.requests.map(({ file }) => file))
const cached = (repo: string) => join(f.cacheDir, `models--${repo.replace('/', '--')}`)

it('downloads only what the model needs, once', async () => {
  const model = custom()
  const { cacheDir } = f
  await using online = await TextEmbedding.create({ model, cacheDir })
  const vectors = await online.embed(TEXTS).toArray()
  expect(vectors[0]).toHaveLength((await online.info()).dim ?? 0)
  expect(asked()).toEqual(
    new Set([
      ...['model.onnx', 'tokenizer.json', 'config.json', 'tokenizer_config.json', 'special_tokens_map.json'],
      // Asked for, as settings may be there; the repository has none of them.
      ...['modules.json', '1_Pooling/config.json', 'config_sentence_transformers.json'],
      ...[...asked()].filter((file) =>
        /^sentence_[\w-]+_config\.json$|processor_config\.json$|data$/.test(file),
      ),
    ]),
  )
  const snapshot = join(cached('acme/minilm'), 'snapshots', COMMIT)
  expect(readdirSync(snapshot).sort()).toEqual([
    'config.json',
    'model.onnx',
    'special_tokens_map.json',
    'tokenizer.json',
    'tokenizer_config.json',
  ])
  f.hub.reset()
  for (const options of [{}, { localFilesOnly: true }]) {
    await using again = await TextEmbedding.create({ model, cacheDir, ...options })
    expect(await again.embed(TEXTS).toArray()).toEqual(vectors)
    expect((await again.info()).dir).toBe(snapshot)
  }
  expect(f.hub.requests).toEqual([])
})

it('is OFFLINE for an empty cache that must do', async () => {
  const model = custom()
  const { cacheDir } = f
  const offline = { code: 'OFFLINE', message: expect.stringContaining('acme/minilm') }
  await expect(TextEmbedding.create({ model, cacheDir, localFilesOnly: true })).rejects.toMatchObject(offline)
  vi.stubEnv('HF_HUB_OFFLINE', '1')
  await expect(TextEmbedding.create({ model, cacheDir })).rejects.toMatchObject(offline)
  await expect(TextEmbedding.create({ model: BGE, cacheDir })).rejects.toThrow(
    `${BGE_REPO} (revision 'main') is not in the cache`,
  )
  await expect(TextEmbedding.create({ model: BGE, cacheDir })).rejects.toThrow(
    `'millrace models pull ${BGE}'`,
  )
  expect(f.hub.requests).toEqual([])
  expect(existsSync(cacheDir)).toBe(false)
})

it('keeps models where the environment says', async () => {
  const model = custom()
  vi.stubEnv('FASTEMBED_CACHE_PATH', f.cacheDir)
  await using loaded = await TextEmbedding.create({ model })
  expect((await loaded.info()).dir).toContain(cached('acme/minilm'))
})

it('takes other weights of the repository when they are named', async () => {
  const content = serve('bge', BGE_REPO)
  f.hub.add(BGE_REPO, COMMIT, { ...content, 'small.onnx': content[WEIGHTS] as Buffer })
  await using model = await TextEmbedding.create({
    model: BGE,
    modelFile: 'small.onnx',
    cacheDir: f.cacheDir,
  })
  expect((await model.info()).modelFile).toBe('small.onnx')
  expect(asked()).not.toContain(WEIGHTS)
})

it('reads the files that FastEmbed reads, whatever else a shared cache holds', async () => {
  serve('bge', BGE_REPO)
  const options = { model: BGE, cacheDir: f.cacheDir, prompts: 'auto' } as const
  await using before = await TextEmbedding.create(options)
  const { maxLength, maxLengthSource, dir = '' } = await before.info()
  const dense = [{ path: '', type: 'sentence_transformers.models.Dense' }]
  writeFileSync(join(dir, 'modules.json'), JSON.stringify(dense))
  writeFileSync(join(dir, 'sentence_bert_config.json'), '{"max_seq_length": 4, "do_lower_case": true}')
  await using after = await TextEmbedding.create(options)
  expect(await after.info()).toMatchObject({ maxLength, maxLengthSource })
  expect(await after.embed(TEXTS).toArray()).toEqual(await before.embed(TEXTS).toArray())
})

it('tells how far the download is', async () => {
  const model = custom()
  const seen: DownloadProgress[] = []
  const options = { model, cacheDir: f.cacheDir, onDownload: (one: DownloadProgress) => seen.push(one) }
  await using _ = await TextEmbedding.create(options)
  const weights = seen.filter(({ file }) => file === 'model.onnx').at(-1)
  expect(weights).toMatchObject({ repo: 'acme/minilm', receivedBytes: weights?.totalBytes })
  expect(seen.at(-1)?.filesDone).toBe(seen.at(-1)?.filesTotal)
  const before = seen.length
  await using again = await TextEmbedding.create(options)
  expect(again.model).toBe(model)
  expect(seen).toHaveLength(before)
  rmSync(f.cacheDir, { recursive: true })
  const failing = () => {
    throw new RangeError('no')
  }
  await expect(TextEmbedding.create({ ...options, onDownload: failing })).rejects.toThrow(RangeError)
})

it('is aborted amid a download, and continues it next time', async () => {
  const model = custom()
  const { cacheDir } = f
  f.hub.fault({ when: ({ at }) => at === 'cdn', slow: { size: 1000, everyMs: 20 } })
  const stop = new AbortController()
  const reason = new Error('enough')
  const onDownload = ({ file, receivedBytes }: DownloadProgress) => {
    if (file === 'model.onnx' && receivedBytes > 0) stop.abort(reason)
  }
  const created = TextEmbedding.create({ model, cacheDir, signal: stop.signal, onDownload })
  await expect(created).rejects.toBe(reason)
  expect(readdirSync(join(cached('acme/minilm'), 'blobs')).some((name) => /incomplete/.test(name))).toBe(true)
  f.hub.reset()
  await using loaded = await TextEmbedding.create({ model, cacheDir })
  expect(await loaded.embed(TEXTS).toArray()).toHaveLength(2)
  expect(f.hub.requests.some(({ headers }) => /^bytes=[1-9]/.test(headers.range ?? ''))).toBe(true)
})

it('is aborted before it begins and while the graph loads, but not once it is loaded', async () => {
  const model = custom()
  const { cacheDir } = f
  const reason = new Error('stop')
  const signal = AbortSignal.abort(reason)
  await expect(TextEmbedding.create({ model, cacheDir, signal })).rejects.toBe(reason)
  expect(f.hub.requests).toEqual([])
  const early = new AbortController()
  const loading = TextEmbedding.create({ signal: early.signal })
  setImmediate(() => early.abort(reason))
  await expect(loading).rejects.toBe(reason)
  const late = new AbortController()
  await using loaded = await TextEmbedding.create({ model, cacheDir, signal: late.signal })
  late.abort(reason)
  expect(await loaded.embed(TEXTS).toArray()).toHaveLength(2)
})

it('downloads at the first use with lazyLoad, once for concurrent uses', async () => {
  const model = custom()
  await using lazy = await TextEmbedding.create({ model, cacheDir: f.cacheDir, lazyLoad: true })
  expect(f.hub.requests).toEqual([])
  const both = await Promise.all([lazy.embed(TEXTS).toArray(), lazy.queryEmbed(TEXTS).toArray()])
  expect(both[0]).toEqual(both[1])
  expect(f.hub.requests.filter(({ at, file }) => at === 'cdn' && file === 'model.onnx')).toHaveLength(1)
})

it('tries again after a failed load', async () => {
  const model = custom({ repo: 'acme/not-yet' })
  await using lazy = await TextEmbedding.create({ model, cacheDir: f.cacheDir, lazyLoad: true })
  await expect(lazy.embed(TEXTS).toArray()).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' })
  serve('minilm', 'acme/not-yet')
  expect(await lazy.embed(TEXTS).toArray()).toHaveLength(2)
})

it('ends a download when it is closed', async () => {
  const model = custom()
  f.hub.fault({ when: ({ at }) => at === 'cdn', slow: { size: 100, everyMs: 200 } })
  const lazy = await TextEmbedding.create({ model, cacheDir: f.cacheDir, lazyLoad: true })
  const used = lazy.embed(TEXTS).toArray()
  const refused = expect(used).rejects.toMatchObject({ code: 'CLOSED' })
  await vi.waitFor(() => expect(f.hub.requests.some(({ at }) => at === 'cdn')).toBe(true), {
    interval: 5,
    timeout: PATIENCE_MS,
  })
  const start = performance.now()
  await lazy.close()
  // The whole file would take minutes.
  expect(performance.now() - start).toBeLessThan(PATIENCE_MS)
  await refused
  await expect(lazy.info()).rejects.toMatchObject({ code: 'CLOSED' })
})

it('brings the prompts of a registered model, counts their tokens, and leaves them out by default', async () => {
  serve('bge', BGE_REPO)
  const { cacheDir } = f
  const prompt = 'Represent this sentence for searching relevant passages: '
  await using auto = await TextEmbedding.create({ model: BGE, cacheDir, prompts: 'auto' })
  await using plain = await TextEmbedding.create({ model: BGE, cacheDir })
  expect((await auto.info()).prompts).toEqual({ query: prompt })
  const [query] = TEXTS.slice(0, 1)
  const tokens = async (stream: ReturnType<typeof plain.embed>) =>
    Array.from((await stream.toMatrix()).tokens)
  const [bare = 0] = await tokens(plain.embed(query as string))
  const added = (await plain.tokenCount(prompt + query)) - bare
  expect(added).toBeGreaterThan(5)
  expect(await tokens(plain.queryEmbed(query as string))).toEqual([bare])
  expect(await tokens(auto.queryEmbed(query as string))).toEqual([bare + added])
  expect(await tokens(auto.passageEmbed(query as string))).toEqual([bare])
  expect(await tokens(auto.embed(query as string))).toEqual([bare])
  expect(await auto.queryEmbed(query as string).toArray()).toEqual(
    await plain.embed(prompt + query).toArray(),
  )
  expect(await auto.queryEmbed(query as string, { prompt: '' }).toArray()).toEqual(
    await plain.queryEmbed(query as string).toArray(),
  )
})

it('brings the prompts of a custom model', async () => {
  const model = custom({ prompts: { query: 'find: ', passage: 'text: ' } })
  await using auto = await TextEmbedding.create({ model, cacheDir: f.cacheDir, prompts: 'auto' })
  expect((await auto.info()).prompts).toEqual({ query: 'find: ', passage: 'text: ' })
  expect(await auto.passageEmbed(TEXTS).toArray()).toEqual(
    await auto.embed(TEXTS.map((text) => `text: ${text}`)).toArray(),
  )
})

it('downloads custom models of other families with the files of their kind', async () => {
  const { cacheDir } = f
  serve('if_splade', 'acme/splade')
  const sparse = { model: 'Test/If-Splade', repo: 'acme/splade', modelFile: 'model.onnx' }
  SparseTextEmbedding.addCustomModel({ ...sparse, kind: 'if-splade' })
  await using splade = await SparseTextEmbedding.create({ model: sparse.model, cacheDir })
  expect(await splade.queryEmbed(TEXTS).toArray()).toHaveLength(2)
  expect(asked()).toContain('idf.json')
  serve('rr_bert', 'acme/rerank')
  TextCrossEncoder.addCustomModel({ model: 'Test/Rerank', repo: 'acme/rerank' })
  await using encoder = await TextCrossEncoder.create({ model: 'Test/Rerank', cacheDir })
  expect(await encoder.rerank('mill', TEXTS).toArray()).toHaveLength(2)
})

it('loads no ONNX Runtime for BM25 and for tables of vectors', async () => {
  const env = { ...bareEnvironment(), MILLRACE_ORT_PATH: join(f.home, 'no-library.so') }
  const seen = await reportOf('no-runtime.mjs', { args: [goldenModel('potion')], env })
  expect(seen).toEqual({ words: 2, dim: expect.any(Number), graph: 'RUNTIME_NOT_FOUND' })
})
