/**
 * The reference vectors: bare ONNX Runtime, one text a run, averaged and normalised in float64 here, and tokenised by
 * Hugging Face's own library in another binding. `node reference.mjs DIRECTORY FILE LIMIT`; it speaks the protocol of the
 * contestants but is none.
 */
import { join } from 'node:path'
import { Tokenizer } from '@anush008/tokenizers'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { serve } from './serve.mjs'

const [directory, file, limit] = process.argv.slice(2)
const tokenizer = Tokenizer.fromFile(join(directory, 'tokenizer.json'))
tokenizer.setTruncation(Number(limit))
const session = await InferenceSession.create(join(directory, file))

function pool({ data, dims }) {
  const [, tokens, dim] = dims
  const mean = new Float64Array(dim)
  for (let t = 0; t < tokens; t++) for (let d = 0; d < dim; d++) mean[d] += data[t * dim + d] / tokens
  const norm = Math.hypot(...mean)
  return mean.map((x) => x / norm)
}

await serve(async (texts) => {
  const rows = []
  for (const text of texts) {
    const encoding = await tokenizer.encode(text)
    // Some tokenizer.json bring padding of their own.
    const ids = encoding.getIds().filter((_, i) => encoding.getAttentionMask()[i] === 1)
    const tensor = (value) => new Tensor('int64', BigInt64Array.from(ids, value), [1, ids.length])
    const outputs = await session.run({
      input_ids: tensor((id) => BigInt(id)),
      attention_mask: tensor(() => 1n),
      token_type_ids: tensor(() => 0n),
    })
    rows.push(pool(outputs[session.outputNames[0]]))
  }
  return rows
})
