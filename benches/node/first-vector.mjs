/** From nothing to a vector with the bundled model; who started this process measures how long it takes. */
import { TextEmbedding } from '../../dist/esm/index.js'

const model = await TextEmbedding.create()
const [vector] = await model.queryEmbed('how do I resize a partition?').toArray()
process.stdout.write(JSON.stringify({ dim: vector.length, sinceStartMs: performance.now() }))
await model.close()
