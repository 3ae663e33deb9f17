/**
 * Latency of one short query in Node beside the bare parts: counting its tokens through the addon (which tokenises it), and
 * a run of the same graph in onnxruntime-node on one thread. In turns, in one process. Prints `{"p50", "p99", "bareP50"}` in
 * milliseconds. `node query.mjs ROUNDS`
 */
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { TextEmbedding } from '../../dist/esm/index.js'
import { quantile } from '../statistics.mjs'
import { corpus, spread } from '../texts.mjs'

/** Rounds that warm up and do not count. */
const WARM_UP = 30

const rounds = Number(process.argv[2])
const model = await TextEmbedding.create()
const { dir, modelFile } = await model.info()
const session = await InferenceSession.create(join(dir, modelFile), { intraOpNumThreads: 1 })

async function bare(text) {
  const length = await model.tokenCount(text)
  // Which tokens they are does not change the time.
  const tensor = (value) => new Tensor('int64', new BigInt64Array(length).fill(value), [1, length])
  const feeds = { input_ids: tensor(2054n), attention_mask: tensor(1n), token_type_ids: tensor(0n) }
  return session.run(feeds)
}

async function timed(work) {
  const started = performance.now()
  await work()
  return performance.now() - started
}

const ours = []
const theirs = []
for (const [i, text] of spread(corpus().titles, rounds + WARM_UP).entries()) {
  const a = await timed(() => model.queryEmbed(text).toArray())
  const b = await timed(() => bare(text))
  if (i < WARM_UP) continue
  ours.push(a)
  theirs.push(b)
}
await model.close()
await session.release()
process.stdout.write(
  JSON.stringify({ p50: quantile(ours, 0.5), p99: quantile(ours, 0.99), bareP50: quantile(theirs, 0.5) }),
)
