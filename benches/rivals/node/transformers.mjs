/**
 * transformers.js as a contestant: `node transformers.mjs ROOT NAME LIMIT DTYPE`. ROOT/NAME has its layout
 * (`onnx/model.onnx`, `onnx/model_quantized.onnx`). It has no batch size of its own: without one, all texts are one call.
 */
import { env, pipeline } from '@huggingface/transformers'
import { serve } from './serve.mjs'

const [root, name, limit, dtype] = process.argv.slice(2)
env.allowRemoteModels = false
env.localModelPath = root
const extract = await pipeline('feature-extraction', name, { dtype, device: 'cpu' })
if (extract.tokenizer.model_max_length !== Number(limit)) {
  throw new Error(
    `Expected a limit of ${limit} tokens but the tokenizer says ${extract.tokenizer.model_max_length}`,
  )
}
await serve(async (texts, batch) => {
  const step = batch > 0 ? batch : Math.max(1, texts.length)
  const rows = []
  for (let at = 0; at < texts.length; at += step) {
    const output = await extract(texts.slice(at, at + step), { pooling: 'mean', normalize: true })
    const [count, dim] = output.dims
    for (let i = 0; i < count; i++) rows.push(output.data.slice(i * dim, (i + 1) * dim))
    output.dispose()
  }
  return rows
})
