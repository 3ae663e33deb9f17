/** A model file that is replaced between loading and the first call: rows of the loaded model never get the new file's name. */
import { once } from 'node:events'
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { disk, EmbeddingPipeline, jsonlSink, TextEmbedding, tieredCache } from '../../index.js'
import { goldenModel } from '../support/paths.js'

/** A copy of a small model, and what gives it other weights of the same shape. */
async function copied(): Promise<{ dir: string; replace(): Promise<void> }> {
  const dir = join(await mkdtemp(join(tmpdir(), 'millrace-replaced-')), 'model')
  await cp(goldenModel('minilm'), dir, { recursive: true })
  const file = join(dir, 'model.onnx')
  const bytes = await readFile(file)
  const middle = bytes.length >> 1
  for (let at = middle; at < middle + 40_000; at += 4)
    bytes.writeFloatLE(bytes.readFloatLE(at) * 1.7 + 0.01, at)
  return { dir, replace: () => writeFile(file, bytes) }
}

const TEXT = 'the quick fox'

it('is not cached under a name that is not its own, and the caller is told', async () => {
  const { dir, replace } = await copied()
  const kept = join(dir, '..', 'cache')
  const cache = () => tieredCache([disk(kept, { maxBytes: 1e8 })])
  const first = cache()
  const old = await TextEmbedding.create({ modelPath: dir, pooling: 'mean', cache: first })
  await replace()
  const warned = once(process, 'warning')
  const [before] = await old.embed(TEXT).toArray()
  await old.close()
  await first.close()
  const [warning] = (await warned) as [Error & { code: string }]
  expect(warning).toMatchObject({
    code: 'MILLRACE_MODEL_CHANGED',
    message: expect.stringContaining('model.onnx'),
  })

  const second = cache()
  const model = await TextEmbedding.create({ modelPath: dir, pooling: 'mean', cache: second })
  const [cached] = await model.embed(TEXT).toArray()
  const [computed] = await model.embed(TEXT, { cache: false }).toArray()
  expect(second.metrics().hits).toBe(0)
  expect(cached).toEqual(computed)
  expect(cached).not.toEqual(before)
  await model.close()
  await second.close()
})

it('makes no journal that says another model than the one that ran', async () => {
  const { dir, replace } = await copied()
  const dense = await TextEmbedding.create({ modelPath: dir, pooling: 'mean' })
  await replace()
  const pipeline = await EmbeddingPipeline.create({ sink: jsonlSink(join(dir, '..', 'out.jsonl')), dense })
  await expect(pipeline.run([{ id: 'a', text: TEXT }])).rejects.toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringContaining('changed after the model was loaded'),
  })
  await pipeline.close()
  await dense.close()
})
