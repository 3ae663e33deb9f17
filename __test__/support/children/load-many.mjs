/** Loads six models at once, closes them, and reports the memory before, between and after in bytes. */

import { millrace, report } from './lib.mjs'

// One life first: the runtime library and the pools come with it and stay.
await (await millrace.TextEmbedding.create()).close()
globalThis.gc()
const before = process.memoryUsage.rss()
const models = await Promise.all(Array.from({ length: 6 }, () => millrace.TextEmbedding.create()))
await Promise.all(models.map((model) => model.embed('one text').toArray()))
const loaded = process.memoryUsage.rss()
await Promise.all(models.map((model) => model.close()))
globalThis.gc()
report({ before, loaded, closed: process.memoryUsage.rss() })
