/**
 * Embeds long texts and reports what that took: `long-texts.mjs DIR TOKENS COUNT OPTIONS`. `peak`: bytes of resident memory
 * beyond those of the loaded model, at the most.
 */

import { readFileSync } from 'node:fs'
import { textOf } from '../attention-model.mjs'
import { millrace, report } from './lib.mjs'

const [dir, tokens, count, options] = process.argv.slice(2)
const model = await millrace.TextEmbedding.create({ modelPath: dir, pooling: 'mean', ...JSON.parse(options) })
await model.embed([textOf(16)]).toArray()
globalThis.gc?.()
// The highest that the process ever had; Linux only, as is giving memory back after a large run.
const highest = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
const before = process.memoryUsage.rss()
const rows = await model
  .embed(Array.from({ length: Number(count) }, (_, i) => textOf(Number(tokens), i)))
  .toArray()
const peak = highest() - before
const failed = rows.filter((row) => row === null).length
report({ rows: rows.length, failed, peak, memory: (await model.info()).memory })
await model.close()
