/**
 * Takes documents without end of some hundred words through a pipeline into a sink that forgets them, until so many were read or so many
 * milliseconds have passed, which aborts it; reports the peak of memory in bytes and the turns of the event loop in milliseconds of processor time.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomNumbers, words } from '../texts.mjs'
import { millrace, report } from './lib.mjs'
import { watchTurns } from './loop-turns.mjs'

const [family, most, milliseconds] = process.argv.slice(2)
const dir = mkdtempSync(join(tmpdir(), 'millrace-pipeline-load-'))
const random = randomNumbers(1)

function* documents() {
  for (let i = 0; i < Number(most); i++) {
    const text = `${i} ${words(20 + Math.floor(random() * 300), random)}`
    yield { id: `document ${i}`, text, metadata: { i } }
  }
}

let records = 0
const sink = {
  name: 'nowhere',
  async open() {},
  async remove() {},
  async write(batch) {
    records += batch.records.length
  },
  async commit() {
    return null
  },
  async close() {},
}
const models = family === 'sparse' ? { sparse: {} } : { sparse: {}, dense: {} }
// What happens once, such as compiling, is no part of the figure.
const pipeline = await millrace.EmbeddingPipeline.create({
  sink,
  ...models,
  journal: join(dir, 'journal'),
  batchRecords: 128,
  duplicates: 'exact',
})
await pipeline.run([{ id: 'first', text: words(300, random) }])
records = 0
const stopWatching = watchTurns()
const signal = AbortSignal.timeout(Number(milliseconds))
try {
  await pipeline.run(documents(), { signal })
} catch (error) {
  if (error !== signal.reason) throw error
}
const turns = stopWatching()
const { written } = pipeline.metrics()
await pipeline.close()
rmSync(dir, { recursive: true })
report({
  written,
  records,
  ...turns,
  peak: process.resourceUsage().maxRSS * 1024,
})
