/** Loads onnxruntime-node and millrace in the order told, uses both at once, and reports what each computed. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { millrace, report } from './lib.mjs'

const graph = fileURLToPath(
  new URL('../../fixtures/goldens/models/custom_2d/onnx/model.onnx', import.meta.url),
)
let model
let session
let ort

const ours = async () => {
  model = await millrace.TextEmbedding.create()
}
const theirs = async () => {
  ort = createRequire(import.meta.url)('onnxruntime-node')
  session = await ort.InferenceSession.create(readFileSync(graph))
}

const order = process.argv[2] === 'theirs first' ? [theirs, ours] : [ours, theirs]
for (const load of order) await load()

const ids = () => new ort.Tensor('int64', BigInt64Array.from([4n, 5n, 6n]), [1, 3])
const ones = () => new ort.Tensor('int64', BigInt64Array.from([1n, 1n, 1n]), [1, 3])
const feeds = Object.fromEntries(
  session.inputNames.map((name) => [
    name,
    name === 'input_ids' || name === 'attention_mask' ? ones() : ids(),
  ]),
)
feeds.token_type_ids &&= new ort.Tensor('int64', BigInt64Array.from([0n, 0n, 0n]), [1, 3])
const [rows, output] = await Promise.all([model.embed('a text').toArray(), session.run(feeds)])
const { path } = await millrace.runtimeInfo()
report({ ours: rows[0].length, theirs: output[session.outputNames[0]].dims, ourPath: path })
await model.close()
