/** Loads, uses and closes a model again and again, and reports the memory after each round in bytes. */

import { texts } from '../texts.mjs'
import { millrace, report } from './lib.mjs'

const rounds = Number(process.argv[2])
const rss = []
for (let i = 0; i < rounds; i++) {
  const model = await millrace.TextEmbedding.create()
  for await (const _ of model.embed(texts(16, { seed: i + 1 })));
  await model.close()
  globalThis.gc()
  rss.push(process.memoryUsage.rss())
}
report({ rss })
