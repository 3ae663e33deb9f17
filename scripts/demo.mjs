/**
 * The demonstration: embeds the 1,000 texts of examples/ with the bundled model through the public API, says how it
 * went, and searches. It is no benchmark; scripts/bench.mjs is.
 *
 *   npm run demo [-- QUERY…]
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { bar } from './lib/demo/bar.mjs'
import { nearest, QUERIES } from './lib/demo/queries.mjs'
import { readPackages } from './lib/demo/texts.mjs'
import { print } from './lib/print.mjs'
import { script } from './lib/run.mjs'

/** Milliseconds between two looks at the event loop; they are part of every measured delay and taken off again. */
const LOOK_EVERY_MS = 2

const whole = (value) => Math.round(value).toLocaleString('en-US')
const line = (name, value) => print(`  ${name.padEnd(14)}${value}`)

await script('demo', async (queries) => {
  const { runtimeInfo, systemInfo, TextEmbedding } = await import('millrace')
  const loading = performance.now()
  const model = await TextEmbedding.create()
  const [info, runtime, system] = [await model.info(), await runtimeInfo(), systemInfo()]
  print(`\nmillrace ${system.version}, ${info.model}, ${info.dim} dimensions`)
  print(
    `${system.coresAllowed} of ${system.coresOnline} cores, ONNX Runtime ${runtime.version}, ` +
      `loaded in ${((performance.now() - loading) / 1000).toFixed(2)} s\n`,
  )

  const packages = await readPackages()
  const view = await bar()
  const delay = monitorEventLoopDelay({ resolution: LOOK_EVERY_MS })
  delay.enable()
  const started = performance.now()
  let last
  const stream = model.passageEmbed(
    packages.map(({ text }) => text),
    {
      overflow: 'truncate',
      onProgress(progress) {
        last = progress
        view.update(progress, progress.done / progress.total)
      },
    },
  )
  const vectors = await stream.toMatrix()
  const seconds = (performance.now() - started) / 1000
  delay.disable()
  view.stop()

  const tokens = vectors.tokens.reduce((sum, count) => sum + count, 0)
  const cut = vectors.truncated.reduce((sum, flag) => sum + flag, 0)
  const milliseconds = (ns) => `${Math.max(ns / 1e6 - LOOK_EVERY_MS, 0).toFixed(1)} ms`
  line(
    'texts',
    `${whole(vectors.length)} in ${seconds.toFixed(1)} s (${cut} cut at ${info.maxLength} tokens)`,
  )
  line('speed', `${whole(vectors.length / seconds)} texts/s, ${whole(tokens / seconds)} tokens/s`)
  line('padding', `${(last.paddingShare * 100).toFixed(1)} % of the computed tokens`)
  line('peak memory', `${whole(systemInfo().peakRss / 1024 / 1024)} MiB, Node and the model included`)
  line(
    'event loop',
    `late by ${milliseconds(delay.percentile(99))} (p99), ${milliseconds(delay.max)} at worst`,
  )

  for (const query of queries.length > 0 ? queries : QUERIES) {
    const asked = performance.now()
    const [vector] = await model.queryEmbed(query).toArray()
    const took = performance.now() - asked
    print(`\n“${query}” (${took.toFixed(0)} ms)`)
    for (const { score, index } of nearest(vector, vectors)) {
      print(`  ${score.toFixed(3)}  ${packages[index].title.slice(0, 70)}`)
    }
  }
  await model.close()
})
