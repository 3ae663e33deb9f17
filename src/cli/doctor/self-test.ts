/** Runs the bundled model for about a second: that it loads, that its vectors mean something, and how fast it is. */

import { TextEmbedding } from '../../../index.js'
import { count } from '../terminal.js'
import { type Check, failed } from './check.js'

/** Long enough for a rate of two digits, short enough to wait for. */
const RUN_MS = 1000

/** Two sentences of one meaning, with hardly a word in common, and one of another. */
const SENTENCES = [
  'The cat is sleeping on the couch.',
  'A kitten naps on the sofa.',
  'The central bank raised interest rates again.',
] as const

/** The first pair scores about 0.6 and the second about 0 with the bundled model; wrong weights or pooling bring them together. */
const LEAST_GAP = 0.3

/** The checks `load`, `similarity` and `speed`, as far as they get. */
export async function selfTest(): Promise<Check[]> {
  const checks: Check[] = []
  let next = 'load'
  try {
    const started = performance.now()
    await using model = await TextEmbedding.create()
    checks.push(await load(model, (performance.now() - started) / 1000))
    next = 'similarity'
    checks.push(await similarity(model))
    next = 'speed'
    checks.push(await speed(model))
  } catch (error) {
    checks.push(failed(next, error))
  }
  return checks
}

async function load(model: TextEmbedding, seconds: number): Promise<Check> {
  const { dim, maxLength, sessions, threadsPerSession } = await model.info()
  const detail =
    `in ${seconds.toFixed(2)} s: ${dim} dimensions, up to ${maxLength} tokens, ` +
    `${sessions} runs at a time with ${threadsPerSession} threads each`
  return {
    name: 'load',
    status: 'ok',
    detail,
    data: { seconds, dim, maxLength, sessions, threadsPerSession },
  }
}

async function similarity(model: TextEmbedding): Promise<Check> {
  const [first, paraphrase, other] = await model.embed(SENTENCES).toArray()
  const near = dot(first, paraphrase)
  const far = dot(first, other)
  const detail = `paraphrases ${near.toFixed(2)}, unrelated ${far.toFixed(2)}`
  const data = { paraphrases: near, unrelated: far }
  if (near - far >= LEAST_GAP) return { name: 'similarity', status: 'ok', detail, data }
  const remedy = 'the model file is damaged or its graph is computed wrongly here: reinstall, then report it'
  return { name: 'similarity', status: 'fail', detail, remedy, data }
}

async function speed(model: TextEmbedding): Promise<Check> {
  const started = performance.now()
  function* texts() {
    for (let i = 0; ; i++) yield `${SENTENCES[i % 3]} Number ${i}.`
  }
  let rows = 0
  let tokens = 0
  // Small batches, so that the last one ends soon after the time is over; leaving the loop cancels the rest.
  for await (const batch of model.embed(texts(), { batchSize: 16 })) {
    rows += batch.length
    for (const n of batch.tokens) tokens += n
    if (performance.now() - started >= RUN_MS) break
  }
  const seconds = (performance.now() - started) / 1000
  const [textsPerSecond, tokensPerSecond] = [rows / seconds, tokens / seconds]
  const detail = `${count(textsPerSecond)} texts/s, ${count(tokensPerSecond)} tokens/s (${count(rows)} short texts in ${seconds.toFixed(1)} s)`
  return {
    name: 'speed',
    status: 'ok',
    detail,
    data: { textsPerSecond, tokensPerSecond, texts: rows, seconds },
  }
}

function dot(a: Float32Array | undefined, b: Float32Array | undefined): number {
  return a?.reduce((sum, x, i) => sum + x * (b?.[i] ?? 0), 0) ?? 0
}
