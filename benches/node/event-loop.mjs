/**
 * Delay of the event loop while everything is busy: bulk work with both sessions at full load, queries on top.
 * `node event-loop.mjs SECONDS`; prints `{"p99Ms", "worstMs", "texts", "samples"}`. A process of its own, so that nothing
 * else disturbs the loop.
 */
import { TextEmbedding } from '../../dist/esm/index.js'
import { watchEventLoop } from '../event-loop-delay.mjs'
import { quantile } from '../statistics.mjs'
import { corpus } from '../texts.mjs'

const seconds = Number(process.argv[2])
const { texts, titles } = corpus()
const model = await TextEmbedding.create({ overflow: 'truncate' })
// What happens once (first run, first compilation of our own code) is start-up and has its own figure.
await model.embed(texts.slice(0, 64)).toArray()

const end = performance.now() + seconds * 1000
function* endless() {
  for (let i = 0; performance.now() < end; i++) yield texts[i % texts.length]
}

async function bulk() {
  let count = 0
  for await (const batch of model.embed(endless())) count += batch.length
  return count
}

async function queries() {
  for (let i = 0; performance.now() < end; i++) {
    await model.queryEmbed(titles[i % titles.length]).toArray()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const stop = watchEventLoop()
const [count] = await Promise.all([bulk(), queries()])
const delays = stop()
await model.close()
process.stdout.write(
  JSON.stringify({
    p99Ms: quantile(delays, 0.99),
    worstMs: Math.max(...delays),
    texts: count,
    samples: delays.length,
  }),
)
