/**
 * A pipeline beside a plain `embed` of the same chunks, in turns in one process on the bundled model, and the event loop's delay while
 * the pipeline runs. `node pipeline.mjs DOCUMENTS ROUNDS`; prints `{"chunksPerSecond", "plainPerSecond", "share", "cpuShare", "p99Ms", "worstMs", "plainP99Ms",
 * "plainWorstMs", "chunks", "tokens", "stages": …}`. The sink takes what it gets; with a journal, in files that go away.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EmbeddingPipeline, TextEmbedding } from '../../dist/esm/index.js'
import { watchEventLoop } from '../event-loop-delay.mjs'
import { median, quantile } from '../statistics.mjs'
import { corpus, spread } from '../texts.mjs'

const [count, rounds] = process.argv.slice(2).map(Number)
const { titles, texts } = corpus()
const documents = spread(texts, count).map((text, i) => ({
  id: `${i}`,
  // Of one to eight descriptions: some are a chunk, some are many.
  text: Array.from({ length: 1 + (i % 8) }, (_, n) => texts[(i * 7 + n) % texts.length]).join('\n\n') + text,
  metadata: { title: titles[i % titles.length] },
}))

/** Counts, and keeps the texts once for the plain call. */
class Tray {
  name = 'tray'
  chunks = []
  async open() {
    this.chunks = []
  }
  async remove() {}
  async write({ records }) {
    for (const { text } of records) this.chunks.push(text)
  }
  async commit() {
    return null
  }
  async close() {}
}

const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-pipeline-'))
const model = await TextEmbedding.create()
const sink = new Tray()
let runs = 0

async function throughPipeline() {
  const pipeline = await EmbeddingPipeline.create({ sink, dense: model, journal: join(dir, `${runs++}`) })
  const stop = watchEventLoop()
  const started = performance.now()
  const cpu = process.cpuUsage()
  const { chunks, tokens } = await pipeline.run(documents)
  const seconds = (performance.now() - started) / 1000
  const cpuMs = cpuSince(cpu)
  const delays = stop()
  const { sourceMs, prepareMs, chunkMs, embedMs, sinkMs } = pipeline.metrics()
  await pipeline.close()
  return {
    rate: chunks / seconds,
    cpuMs,
    chunks,
    tokens,
    delays,
    stages: { sourceMs, prepareMs, chunkMs, embedMs, sinkMs },
  }
}

async function plain(chunks) {
  const stop = watchEventLoop()
  const started = performance.now()
  const cpu = process.cpuUsage()
  let rows = 0
  for await (const batch of model.embed(chunks)) rows += batch.length
  const rate = (rows / (performance.now() - started)) * 1000
  return { rate, cpuMs: cpuSince(cpu), delays: stop() }
}

function cpuSince(before) {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const worst = (delays) => delays.reduce((most, delay) => Math.max(most, delay), 0)

try {
  await throughPipeline() // what happens once, such as compiling, is no part of the figure
  const measured = []
  const plains = []
  for (let i = 0; i < rounds; i++) {
    measured.push(await throughPipeline())
    plains.push(await plain(sink.chunks))
  }
  const delays = measured.flatMap((run) => run.delays)
  const plainDelays = plains.flatMap((run) => run.delays)
  const { chunks, tokens, stages } = measured[0]
  process.stdout.write(
    JSON.stringify({
      chunksPerSecond: median(measured.map(({ rate }) => rate)),
      plainPerSecond: median(plains.map(({ rate }) => rate)),
      // Of neighbours: what else the machine does changes slowly.
      share: median(measured.map(({ rate }, i) => rate / plains[i].rate)),
      // What it costs, however busy the machine is.
      cpuShare: median(measured.map(({ cpuMs }, i) => plains[i].cpuMs / cpuMs)),
      p99Ms: quantile(delays, 0.99),
      worstMs: worst(delays),
      plainP99Ms: quantile(plainDelays, 0.99),
      plainWorstMs: worst(plainDelays),
      chunks,
      tokens,
      stages,
    }),
  )
} finally {
  await model.close()
  rmSync(dir, { recursive: true, force: true })
}
