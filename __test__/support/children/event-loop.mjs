/**
 * Measures the event loop's delay for some seconds at full load: a bulk stream of long texts from a generator, a second
 * one of short texts, and queries. Reports milliseconds.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { texts } from '../texts.mjs'
import { millrace, report } from './lib.mjs'

/** How often the histogram looks. Its own timer is part of what it measures, so this is taken off again. */
const RESOLUTION_MS = 1

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
const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
const cpu = process.cpuUsage()
const started = performance.now()
histogram.enable()
await sleep(4000)
histogram.disable()
const { user } = process.cpuUsage(cpu)
const seconds = (performance.now() - started) / 1000
stop.abort()
await Promise.all(work)
await model.close()
const delay = (nanoseconds) => nanoseconds / 1e6 - RESOLUTION_MS
report({ p99: delay(histogram.percentile(99)), max: delay(histogram.max), coresBusy: user / 1e6 / seconds })

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
