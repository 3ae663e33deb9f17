/** Types as a user meets them: compiled against the packed package, then run. */
import { type DenseBatch, MillraceError, TextEmbedding } from 'millrace'

const model: TextEmbedding = await TextEmbedding.create()
const rows: Float32Array[] = await model.embed(['one', 'two']).toArray()
const first: Float32Array | undefined = rows[0]
for await (const batch of model.embed(['three'])) {
  const typed: DenseBatch = batch
  if (typed.length !== 1 || typed.dim !== first?.length) throw new Error('a batch of another shape')
}
try {
  // @ts-expect-error options are checked by the compiler
  model.embed(['four'], { batchSize: 'many' })
  throw new Error('a wrong option was taken')
} catch (error) {
  if (!(error instanceof MillraceError) || error.code !== 'INVALID_OPTION') throw error
}
await model.close()
