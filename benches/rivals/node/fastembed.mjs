/** npm's fastembed as a contestant: `node fastembed.mjs DIRECTORY FILE LIMIT`. A local directory is its custom model. */
import { EmbeddingModel, FlagEmbedding } from 'fastembed'
import { serve } from './serve.mjs'

const [modelAbsoluteDirPath, modelName, limit] = process.argv.slice(2)
const model = await FlagEmbedding.init({
  model: EmbeddingModel.CUSTOM,
  modelAbsoluteDirPath,
  modelName,
  maxLength: Number(limit),
})
await serve(async (texts, batch) => {
  const rows = []
  for await (const part of batch > 0 ? model.embed(texts, batch) : model.embed(texts)) rows.push(...part)
  return rows
})
