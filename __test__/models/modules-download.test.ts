/** A repository gives the same vectors and the same limit as its own directory: every file that says something of them is downloaded. */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { TextEmbedding } from '../../index.js'
import { textModelFiles } from '../../src/store/files.js'
import { COMMIT, fixture } from '../store/support/fixture.js'
import { ROOT } from '../support/paths.js'
import { DIM, modules, safetensors, writeTinyModel } from '../support/tiny-model.js'

const f = fixture()
const TEXTS = ['w3 w5', 'w9']

const dense = {
  '2_Dense/config.json': {
    in_features: DIM,
    out_features: 2,
    bias: false,
    activation_function: 'torch.nn.modules.activation.Tanh',
  },
  '2_Dense/model.safetensors': safetensors({
    'linear.weight': { shape: [2, DIM], values: [0.1, 0.2, -0.3, 0.4, 0.5, -0.6, 0.7, 0.8] },
  }),
}
const pooling = { '1_Pooling/config.json': { pooling_mode_cls_token: true } }

/** Serves a directory as a repository and registers it; the directory stays for the comparison. */
function serve(repo: string, dir: string, rename: (path: string) => string = (path) => path): void {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const content = files.map((entry) => {
    const path = join(entry.parentPath, entry.name)
    return [rename(path.slice(dir.length + 1)), readFileSync(path)] as const
  })
  f.hub.add(repo, COMMIT, Object.fromEntries(content))
  vi.stubEnv('HF_ENDPOINT', f.hub.url)
  TextEmbedding.addCustomModel({ model: `Test/${repo}`, repo, modelFile: 'model.onnx' })
}

async function opened(options: { model: string; cacheDir: string } | { modelPath: string }) {
  await using model = await TextEmbedding.create(options)
  return { info: await model.info(), rows: await model.embed(TEXTS).toArray() }
}

const directory = (files: object): string =>
  writeTinyModel(mkdtempSync(join(tmpdir(), 'repo-')), {}, { ...pooling, ...files })

it('downloads what modules.json leads to, and nothing when it is there', async () => {
  const dir = directory({ ...dense, 'modules.json': modules('Transformer', 'Pooling', 'Dense', 'Normalize') })
  serve('acme/labse', dir)
  const model = { model: 'Test/acme/labse', cacheDir: f.cacheDir }
  const downloaded = await opened(model)
  expect(downloaded.rows).toEqual((await opened({ modelPath: dir })).rows)
  expect(downloaded.info).toMatchObject({
    dim: 2,
    poolingSource: '1_Pooling/config.json pooling_mode_cls_token',
  })
  f.hub.reset()
  expect((await opened(model)).rows).toEqual(downloaded.rows)
  expect(f.hub.requests).toEqual([])
})

it('finds the tokenizer of a Transformer that has a folder of its own', async () => {
  const list = [
    { path: '0_Transformer', type: 'sentence_transformers.models.Transformer' },
    { path: './1_Pooling', type: 'sentence_transformers.models.Pooling' },
  ]
  const dir = directory({ 'modules.json': list })
  serve('acme/folder', dir, (path) => (/^(tokenizer|config)/.test(path) ? `0_Transformer/${path}` : path))
  const model = { model: 'Test/acme/folder', cacheDir: f.cacheDir }
  const downloaded = await opened(model)
  expect(downloaded.info).toMatchObject({ maxLength: 32, pooling: 'cls', normalize: false })
  f.hub.reset()
  expect((await opened(model)).rows).toEqual(downloaded.rows)
  expect(f.hub.requests).toEqual([])
})

it('has the same limit by its repository and by its directory', async () => {
  const dir = directory({
    'modules.json': modules('Transformer', 'Pooling'),
    'sentence_xlm-roberta_config.json': { max_seq_length: 20 },
  })
  serve('acme/xlmr', dir)
  const limit = { maxLength: 20, maxLengthSource: 'sentence_xlm-roberta_config.json max_seq_length' }
  expect((await opened({ modelPath: dir })).info).toMatchObject(limit)
  expect((await opened({ model: 'Test/acme/xlmr', cacheDir: f.cacheDir })).info).toMatchObject(limit)
})

it('says that a tokenizer is missing which is nowhere', async () => {
  const dir = directory({})
  serve('acme/none', dir, (path) => (path === 'tokenizer.json' ? 'other.json' : path))
  await expect(opened({ model: 'Test/acme/none', cacheDir: f.cacheDir })).rejects.toMatchObject({
    code: 'MODEL_NOT_FOUND',
    message: expect.stringContaining('tokenizer.json'),
  })
})

it('downloads every name that the core reads the settings of a Transformer from', () => {
  const source = readFileSync(join(ROOT, 'crates/core/src/model/modules.rs'), 'utf8')
  const list = /TRANSFORMER_FILES: \[&str; (\d+)\] = \[([^\]]*)\]/.exec(source)
  const names = [...(list?.[2] ?? '').matchAll(/"([^"]+)"/g)].map(([, name]) => name)
  expect(names).toHaveLength(Number(list?.[1]))
  expect(textModelFiles('model.onnx').optional).toEqual(expect.arrayContaining(names))
})
