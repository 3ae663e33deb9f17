/** A model from the store is a model: the bundled one, put on a hub, downloaded, loaded through the links, and used. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TextEmbedding } from '../../index.js'
import { textModelFiles } from '../../src/store/files.js'
import { BUNDLED, goldenModel, ROOT } from '../support/paths.js'
import { COMMIT, fixture } from './support/fixture.js'

const f = fixture()
const TEXTS = ['how do I resize a partition?', 'growing a disk volume']

async function vectors(options: Parameters<typeof TextEmbedding.create>[0]) {
  await using model = await TextEmbedding.create(options)
  return await model.embed(TEXTS).toArray()
}

it('gives the same vectors as from its own directory', async () => {
  const names = readdirSync(BUNDLED, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(BUNDLED.length + 1))
  const content = Object.fromEntries(names.map((name) => [name, readFileSync(join(BUNDLED, name))]))
  f.hub.add('acme/minilm', COMMIT, content)
  const { dir, files } = await f.resolve({ repo: 'acme/minilm', files: textModelFiles('model_w8.onnx') })
  expect(files).toEqual(
    expect.arrayContaining([
      'model_w8.onnx',
      'tokenizer.json',
      'config.json',
      'modules.json',
      '1_Pooling/config.json',
    ]),
  )
  for (const unwanted of ['LICENSE', 'README.md', 'package.json']) expect(files).not.toContain(unwanted)
  const stored = await vectors({ modelPath: dir, modelFile: 'model_w8.onnx' })
  expect(stored).toEqual(await vectors(undefined))
  expect(stored[0]).toHaveLength(384)
})

it('finds weights that lie outside the graph, though both are links', async () => {
  const beside = goldenModel('minilm')
  const outside = join(ROOT, '__test__/fixtures/external-data')
  const names = readdirSync(beside).filter((name) => name.endsWith('.json'))
  const content = Object.fromEntries(names.map((name) => [name, readFileSync(join(beside, name))]))
  for (const name of ['model.onnx', 'model.onnx_data'])
    content[`onnx/${name}`] = readFileSync(join(outside, name))
  f.hub.add('acme/outside', COMMIT, content)
  const { dir, files } = await f.resolve({ repo: 'acme/outside', files: textModelFiles('onnx/model.onnx') })
  expect(files).toContain('onnx/model.onnx_data')
  const rounded = async (options: Parameters<typeof vectors>[0]) =>
    (await vectors(options)).map((row) => Array.from(row as Float32Array, (value) => value.toFixed(5)))
  expect(await rounded({ modelPath: dir, modelFile: 'onnx/model.onnx', pooling: 'mean' })).toEqual(
    await rounded({ modelPath: beside, pooling: 'mean' }),
  )
})
