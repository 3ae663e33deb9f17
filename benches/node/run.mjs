/**
 * What only the whole of millrace shows: event loop, peak memory, start, latency, rows from a cache, indexing in Node, each in processes of
 * its own on the bundled model. `node benches/node/run.mjs [--quick]`; results in bench-results/node.json.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { print } from '../../scripts/lib/print.mjs'
import { ROOT, SetupError, script } from '../../scripts/lib/run.mjs'
import { median } from '../statistics.mjs'

/** Starts that are measured; the first one also fills the file cache and does not count. */
const STARTS = 6

function inChild(name, ...args) {
  const file = join(ROOT, 'benches', 'node', name)
  const started = performance.now()
  const child = spawnSync(process.execPath, [file, ...args.map(String)], { encoding: 'utf8' })
  if (child.status !== 0)
    throw new SetupError(`${name} ended with ${child.signal ?? child.status}\n${child.stderr}`)
  return { ...JSON.parse(child.stdout), wallMs: performance.now() - started }
}

const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`

await script('bench:node', async (args) => {
  const quick = args.includes('--quick')
  const [few, many] = quick ? [600, 3000] : [3000, 30_000]
  const result = { quick, load: loadavg()[0] }

  const starts = Array.from({ length: STARTS }, () => inChild('first-vector.mjs')).slice(1)
  result.firstVectorMs = median(starts.map((start) => start.sinceStartMs))
  print(`\nprocess start to first vector: ${result.firstVectorMs.toFixed(0)} ms (median of ${starts.length})`)

  result.query = inChild('query.mjs', quick ? 100 : 300)
  const { p50, p99, bareP50 } = result.query
  print(
    `query: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms; onnxruntime-node and tokenising: ${bareP50.toFixed(2)} ms`,
  )

  result.eventLoop = inChild('event-loop.mjs', quick ? 4 : 15)
  const { p99Ms, worstMs, samples } = result.eventLoop
  print(
    `event loop at full load: p99 ${p99Ms.toFixed(1)} ms, worst ${worstMs.toFixed(1)} ms (${samples} samples)`,
  )

  result.memory = [few, many].map((count) => inChild('memory.mjs', count))
  for (const { texts, peak, seconds } of result.memory) {
    print(`peak memory of ${texts} texts: ${megabytes(peak)} (${(texts / seconds).toFixed(0)} texts/s)`)
  }

  result.cache = inChild('cache.mjs', quick ? 2000 : 8000, quick ? 2 : 6)
  for (const [where, { textsPerSecond, p99Ms, worstMs }] of Object.entries(result.cache)) {
    print(
      `rows from ${where}: ${textsPerSecond.toFixed(0)} texts/s; event loop p99 ${p99Ms.toFixed(1)} ms, worst ${worstMs.toFixed(1)} ms`,
    )
  }

  result.pipeline = inChild('pipeline.mjs', quick ? 200 : 400, quick ? 1 : 3)
  const { share, cpuShare } = result.pipeline
  print(`a pipeline beside plain embed: ${share.toFixed(2)} ×, for CPU time ${cpuShare.toFixed(2)} ×`)

  result.indexing = inChild('indexing.mjs', quick ? 1000 : 4000)
  const { indexing } = result
  print(
    `${indexing.documents} documents into LanceDB: ${indexing.chunksPerSecond.toFixed(0)} chunks/s, ` +
      `${indexing.share.toFixed(2)} × plain embed, peak ${megabytes(indexing.peak)}; ` +
      `from the cache ${indexing.warmPerSecond.toFixed(0)}/s, ${indexing.warmRatio.toFixed(0)} ×; ` +
      `event loop p99 ${indexing.p99Ms.toFixed(1)} and ${indexing.warmP99Ms.toFixed(1)} ms`,
  )

  mkdirSync(join(ROOT, 'bench-results'), { recursive: true })
  writeFileSync(join(ROOT, 'bench-results', 'node.json'), `${JSON.stringify(result, undefined, 2)}\n`)
})
