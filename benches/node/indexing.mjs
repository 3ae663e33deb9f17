/**
 * An indexing job as users run it: documents → chunks → vectors → LanceDB, with a cache on the disk; then again into another table with
 * everything in the cache; and plain `embed` of the same chunks, half of it before the job and half after. Each in a process of its own, on the
 * bundled model. `node indexing.mjs DOCUMENTS`; prints `{"chunks", "tokens", "plainPerSecond", "chunksPerSecond", "share", "cpuShare", "warmPerSecond", "warmRatio",
 * "p99Ms", "worstMs", "warmP99Ms", "warmWorstMs", "peak", "fewPeak" (of a tenth of the documents),
 * "warmPeak", "plainPeak", "weights"}`, memory in bytes.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resourceUsage } from 'node:process'
import { fileURLToPath } from 'node:url'
import {
  disk,
  EmbeddingPipeline,
  jsonlSource,
  lanceDbSink,
  TextEmbedding,
  tieredCache,
} from '../../dist/esm/index.js'
import { watchEventLoop } from '../event-loop-delay.mjs'
import { quantile } from '../statistics.mjs'
import { corpusPath } from '../texts.mjs'

/** Room for all rows: 30,000 of them are 60 MB. */
const CACHE_BYTES = 1e9

const worst = (delays) => delays.reduce((most, delay) => Math.max(most, delay), 0)

/** The first documents of the corpus, as they are read. */
async function* documentsOf(count) {
  let i = 0
  for await (const document of jsonlSource(corpusPath())) {
    if (i === count) return
    yield { ...document, id: `${i++}` } // a package may come more than once
  }
}

async function watched(work) {
  const stop = watchEventLoop()
  const started = performance.now()
  const cpu = process.cpuUsage()
  const result = await work()
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const cpuSeconds = (user + system) / 1e6
  const delays = stop()
  // In kilobytes on every system that Node runs on.
  const peak = resourceUsage().maxRSS * 1024
  return { ...result, seconds, cpuSeconds, p99Ms: quantile(delays, 0.99), worstMs: worst(delays), peak }
}

async function index(dir, table, count) {
  const documents = documentsOf(count)
  const cache = tieredCache([disk(join(dir, 'cache'), { maxBytes: CACHE_BYTES })])
  const dense = await TextEmbedding.create({ cache })
  const { weightBytes } = await dense.info()
  const sink = lanceDbSink({ uri: join(dir, 'db'), table })
  const pipeline = await EmbeddingPipeline.create({ sink, dense, journal: join(dir, `${table}.journal`) })
  const result = await watched(async () => {
    const { chunks, tokens } = await pipeline.run(documents)
    return { chunks, tokens, weights: weightBytes }
  })
  const { sourceMs, prepareMs, chunkMs, embedMs, sinkMs } = pipeline.metrics()
  await pipeline.close()
  await dense.close()
  await cache.close()
  return { ...result, stages: { sourceMs, prepareMs, chunkMs, embedMs, sinkMs } }
}

/** The chunks that the job will make: without a dense model, the bundled one's tokenizer cuts. */
async function listChunks(dir, count) {
  const chunks = []
  const sink = {
    name: 'list',
    async open() {},
    async remove() {},
    async write({ records }) {
      for (const { text } of records) chunks.push(text)
    },
    async commit() {
      return null
    },
    async close() {},
  }
  const pipeline = await EmbeddingPipeline.create({ sink, sparse: { language: 'english' }, journal: false })
  await pipeline.run(documentsOf(count))
  await pipeline.close()
  writeFileSync(join(dir, 'chunks.json'), JSON.stringify(chunks))
  return { rows: chunks.length }
}

async function plain(dir, half) {
  const all = JSON.parse(readFileSync(join(dir, 'chunks.json'), 'utf8'))
  const chunks = all.filter((_, i) => i % 2 === half)
  const model = await TextEmbedding.create()
  const result = await watched(async () => {
    let rows = 0
    for await (const batch of model.embed(chunks)) rows += batch.length
    return { rows }
  })
  await model.close()
  return result
}

const STEPS = {
  cold: (dir, count) => index(dir, 'cold', count),
  warm: (dir, count) => index(dir, 'warm', count),
  list: listChunks,
  before: (dir) => plain(dir, 0),
  after: (dir) => plain(dir, 1),
}

function inChild(step, dir, count) {
  const args = [fileURLToPath(import.meta.url), `${count}`, step, dir]
  const child = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 26 })
  if (child.status !== 0)
    throw new Error(`${step} ended with ${child.signal ?? child.status}\n${child.stderr}`)
  return JSON.parse(child.stdout)
}

function compare(count) {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-indexing-'))
  try {
    const small = join(dir, 'small')
    mkdirSync(small)
    const few = inChild('cold', small, Math.ceil(count / 10))
    inChild('list', dir, count)
    const before = inChild('before', dir, count)
    const cold = inChild('cold', dir, count)
    const after = inChild('after', dir, count)
    const warm = inChild('warm', dir, count)
    const plainPerSecond = (before.rows + after.rows) / (before.seconds + after.seconds)
    const chunksPerSecond = cold.chunks / cold.seconds
    const warmPerSecond = warm.chunks / warm.seconds
    return {
      documents: count,
      chunks: cold.chunks,
      tokens: cold.tokens,
      plainPerSecond,
      chunksPerSecond,
      share: chunksPerSecond / plainPerSecond,
      warmPerSecond,
      warmRatio: warmPerSecond / chunksPerSecond,
      p99Ms: cold.p99Ms,
      worstMs: cold.worstMs,
      warmP99Ms: warm.p99Ms,
      warmWorstMs: warm.worstMs,
      // What it costs, however busy the machine is.
      cpuShare: (before.cpuSeconds + after.cpuSeconds) / cold.cpuSeconds,
      peak: cold.peak,
      fewPeak: few.peak,
      warmPeak: warm.peak,
      plainPeak: before.peak,
      weights: cold.weights,
      stages: cold.stages,
      warmStages: warm.stages,
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const [count, step, dir] = process.argv.slice(2)
const result = step === undefined ? compare(Number(count)) : await STEPS[step](dir, Number(count))
process.stdout.write(JSON.stringify(result))
