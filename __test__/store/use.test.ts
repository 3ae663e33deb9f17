/** A model from the store is a model: the bundled one, put on a hub, downloaded, loaded through the links, and used. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TextEmbedding } from '../../index.js'
import { textModelFiles } from '../../src/store/files.js'
import { BUNDLED } from '../support/paths.js'
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
}, 30_000)
