/**
 * Peak memory of a process that embeds a number of texts and keeps none: `node memory.mjs COUNT`; prints
 * `{"peak", "weights", "texts", "seconds"}` in bytes. The texts come one by one, as from a file.
 */
import { resourceUsage } from 'node:process'
import { TextEmbedding } from '../../dist/esm/index.js'
import { corpus, spread } from '../texts.mjs'

/** Texts held here, so that the corpus itself does not count as memory that grows. */
const HELD = 1000

const count = Number(process.argv[2])
const held = spread(corpus().texts, HELD)
const model = await TextEmbedding.create({ overflow: 'truncate' })
const { weightBytes } = await model.info()

function* source() {
  // Every text is a string of its own, as it would be from a file.
  for (let i = 0; i < count; i++) yield `${held[i % held.length]} ${i}`
}

const started = performance.now()
let seen = 0
for await (const batch of model.embed(source())) seen += batch.length
const seconds = (performance.now() - started) / 1000
await model.close()
// In kilobytes on every system that Node runs on.
const peak = resourceUsage().maxRSS * 1024
process.stdout.write(JSON.stringify({ peak, weights: weightBytes, texts: seen, seconds }))
