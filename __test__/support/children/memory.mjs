/** Embeds as many texts as told, from a generator to nowhere, and reports the process's memory in bytes. */

import { texts } from '../texts.mjs'
import { millrace, report } from './lib.mjs'

const count = Number(process.argv[2])
const model = await millrace.TextEmbedding.create()
const { weightBytes } = await model.info()
let rows = 0
for await (const batch of model.embed(texts(count, { least: 2, most: 16 }))) rows += batch.length
const during = process.memoryUsage.rss()
await model.close()
globalThis.gc()
report({
  rows,
  weightBytes,
  during,
  after: process.memoryUsage.rss(),
  peak: process.resourceUsage().maxRSS * 1024,
})
