/**
 * Embeds large images on a small model and reports the turns of the event loop in milliseconds of
 * processor time and the process's memory in bytes.
 * Arguments: how many images, their source (`paths`, `buffers`), and where the images lie.
 */

import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { millrace, report } from './lib.mjs'
import { watchTurns } from './loop-turns.mjs'

const [count, kind, folder, modelPath] = process.argv.slice(2)
const files = (await readdir(folder)).map((name) => join(folder, name))
// Read before, so that reading is no part of the delay; a Buffer is copied for each time it is embedded.
const images = kind === 'paths' ? files : files.map((file) => readFileSync(file))
const model = await millrace.ImageEmbedding.create({ modelPath })
await model.embed(images[0]).toArray()
const before = process.memoryUsage.rss()
const cpu = process.cpuUsage()
const stopWatching = watchTurns()
let rows = 0
for await (const batch of model.embed(source(), { batchSize: 16 })) rows += batch.length
const turns = stopWatching()
const { user } = process.cpuUsage(cpu)
await model.close()
report({
  rows,
  before,
  ...turns,
  processorSeconds: user / 1e6,
  peak: process.resourceUsage().maxRSS * 1024,
})

function* source() {
  for (let i = 0; i < Number(count); i++) yield images[i % images.length]
}
