/**
 * Embeds a file of any size in constant memory: lines are read as the model takes them, vectors are written as they
 * come, and whatever is slowest sets the pace.
 *
 *   node examples/stream-file.mjs INPUT.txt OUTPUT.f32
 */
import { open } from 'node:fs/promises'
import { TextEmbedding } from 'millrace'

const [inputPath, outputPath] = process.argv.slice(2)
if (outputPath === undefined) throw new Error('usage: node examples/stream-file.mjs INPUT.txt OUTPUT.f32')

const model = await TextEmbedding.create()
const input = await open(inputPath)
const output = await open(outputPath, 'w')

const { dim } = await model.info()
let rows = 0
for await (const batch of model.embed(input.readLines(), { overflow: 'truncate' })) {
  // One Float32Array a batch; row i of it is the vector of line batch.offset + i.
  await output.writev([batch.data])
  rows += batch.length
}
await Promise.all([input.close(), output.close(), model.close()])
console.log(`${rows} vectors of ${dim} float32 values in ${outputPath}`)
