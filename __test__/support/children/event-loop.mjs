/**
 * Measures the turns of the event loop for some seconds at full load: a bulk stream of long texts from a generator, a
 * second one of short texts, and queries. Reports milliseconds of processor time.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { texts } from '../texts.mjs'
import { millrace, report } from './lib.mjs'
import { watchTurns } from './loop-turns.mjs'

const model = await millrace.TextEmbedding.create()
await model.embed(texts(64)).toArray()
const stop = new AbortController()
const { signal } = stop
const work = [
  drain(model.embed(texts(1e9, { least: 100, most: 300 }), { signal })),
  drain(model.embed(texts(1e9, { least: 2, most: 12, seed: 2 }), { signal, batchSize: 4096 })),
  ask(),
]
await sleep(500)
const cpu = process.cpuUsage()
const stopWatching = watchTurns()
await sleep(4000)
const turns = stopWatching()
const { user } = process.cpuUsage(cpu)
stop.abort()
await Promise.all(work)
await model.close()
report({ ...turns, processorSeconds: user / 1e6 })

async function drain(stream) {
  try {
    for await (const _ of stream);
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

async function ask() {
  while (!signal.aborted) {
    await model.queryEmbed('how do I resize a partition?').toArray()
    await sleep(20)
  }
}
