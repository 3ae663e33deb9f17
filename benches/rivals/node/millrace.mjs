/** millrace as a contestant: `node millrace.mjs DIRECTORY FILE LIMIT [--batched]`, all else at its defaults. */
import { TextEmbedding } from '../../../dist/esm/index.js'
import { serve } from './serve.mjs'

const [modelPath, modelFile, limit, batched] = process.argv.slice(2)
const model = await TextEmbedding.create({
  modelPath,
  modelFile,
  maxLength: Number(limit),
  pooling: 'mean',
  ...(batched === '--batched' && { batchInvariance: false }),
})
await serve((texts, batch) => model.embed(texts, batch > 0 ? { batchSize: batch } : {}).toArray())
await model.close()
