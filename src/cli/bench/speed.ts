/**
 * `millrace bench speed`: what one model does with the user's own texts on this machine, alone and with bulk work beside it. Each measurement
 * is a median of several rounds; what they were measured on is printed with them.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { disk, memory, systemInfo, TextEmbedding, type TieredCache, tieredCache } from '../../../index.js'
import { downloadView } from '../download-view.js'
import { usageError } from '../exit.js'
import { commonOptions, type DenseFlags, denseCallOptions, denseModelOptions } from '../model-options.js'
import { say } from '../terminal.js'
import { benchFiles, readTexts } from './texts.js'

/** What commander makes of the options. */
export interface SpeedFlags extends DenseFlags {
  field: string
  limit: number
  rounds: number
  seconds: number
  json?: boolean
  chart?: string
}

/** Milliseconds that so many of a hundred calls stay below. */
export interface Percentiles {
  p50: number
  p95: number
  p99: number
}

/** What was measured. Times in milliseconds, sizes in bytes. */
export interface SpeedResult {
  model: string
  cpu: string
  cores: number
  texts: number
  tokensPerText: number
  rounds: number
  /** From the call of `create` to the first vector. */
  firstVectorMs: number
  textsPerSecond: number
  tokensPerSecond: number
  paddingShare: number
  /** Single queries with nothing beside them. */
  idleQuery: Percentiles
  /** Single queries during bulk work. */
  busyQuery: Percentiles
  /** Delay of the event loop during bulk work. */
  eventLoop: Percentiles & { max: number }
  /** Peak resident set of the process. */
  peakMemory: number
  weights: number
  /** Texts a second, from a cold and a warm cache. */
  cache: { cold: number; memory: number; disk: number }
}

/** Queries of one measurement: enough for a 99th percentile that is no single value's. */
const QUERIES = 300

/** Fewer texts tell nothing of bulk work. */
const LEAST_TEXTS = 32

/** Bytes that the caches of the measurement may take; more texts than fit would measure the eviction. */
const CACHE_BYTES = 1024 * 1024 * 1024

/** Measures; says what it does unless its output is for a program. */
export async function measureSpeed(
  files: readonly string[],
  flags: SpeedFlags,
  signal: AbortSignal,
): Promise<SpeedResult> {
  const texts = await readTexts(await benchFiles(files), flags.field, flags.limit, signal)
  if (texts.length < LEAST_TEXTS)
    throw usageError(`Expected at least ${LEAST_TEXTS} texts but received ${texts.length}`)
  const tell = (what: string) => {
    if (flags.json !== true) say(`millrace: ${what}`)
  }
  const view = downloadView(flags.json === true)
  const started = performance.now()
  const model = await TextEmbedding.create({
    ...commonOptions(flags),
    ...denseModelOptions(flags, 'text'),
    signal,
    onDownload: view.update,
  }).finally(view.stop)
  try {
    const options = { ...denseCallOptions(flags), overflow: 'truncate', signal } as const
    await model.embed(texts[0] as string, options).toArray()
    const firstVectorMs = performance.now() - started
    tell(`bulk work over ${texts.length} texts, ${flags.rounds} rounds`)
    const bulk = await bulkWork(model, texts, options, flags)
    tell('single queries, alone and beside bulk work')
    const idleQuery = await queries(model, texts, options, flags.seconds)
    const busy = await besideBulk(model, texts, options, flags.seconds)
    tell('caches')
    const cache = await cacheEffect(model, texts, options)
    const { cpuModel, coresAllowed, peakRss } = systemInfo()
    const { weightBytes } = await model.info()
    return {
      model: model.model,
      cpu: cpuModel,
      cores: coresAllowed,
      texts: texts.length,
      tokensPerText: bulk.tokens / texts.length,
      rounds: flags.rounds,
      firstVectorMs,
      textsPerSecond: bulk.textsPerSecond,
      tokensPerSecond: (bulk.tokens / texts.length) * bulk.textsPerSecond,
      paddingShare: bulk.paddingShare,
      idleQuery,
      ...busy,
      peakMemory: peakRss,
      weights: weightBytes,
      cache: { cold: bulk.textsPerSecond, ...cache },
    }
  } finally {
    await model.close({ timeoutMs: 0 })
  }
}

type CallOptions = { overflow: 'truncate'; signal: AbortSignal; dimensions?: number; prompt?: string }

async function bulkWork(
  model: TextEmbedding,
  texts: string[],
  options: CallOptions,
  { rounds, seconds }: SpeedFlags,
) {
  const rates: number[] = []
  const end = performance.now() + seconds * 1000
  const before = model.metrics()
  for (let round = 0; round < rounds && (round === 0 || performance.now() < end); round++) {
    const started = performance.now()
    for await (const _ of model.embed(texts, options)) options.signal.throwIfAborted()
    rates.push(texts.length / ((performance.now() - started) / 1000))
  }
  const after = model.metrics()
  const tokens = after.tokens - before.tokens
  const padded = after.paddedTokens - before.paddedTokens
  return {
    textsPerSecond: median(rates),
    tokens: tokens / rates.length,
    paddingShare: padded > 0 ? 1 - tokens / padded : 0,
  }
}

/** Queries one after the other, as a server gets them. */
async function queries(
  model: TextEmbedding,
  texts: string[],
  options: CallOptions,
  seconds: number,
): Promise<Percentiles> {
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  for (let i = 0; i < QUERIES && (i < LEAST_TEXTS || performance.now() < end); i++) {
    // Their beginnings: a query is short.
    const query = (texts[i % texts.length] as string).slice(0, 64)
    const started = performance.now()
    await model.queryEmbed(query, options).toArray()
    times.push(performance.now() - started)
  }
  return percentiles(times)
}

async function besideBulk(model: TextEmbedding, texts: string[], options: CallOptions, seconds: number) {
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const endless = function* () {
    for (;;) yield* texts
  }
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const bulk = (async () => {
    for await (const _ of model.embed(endless(), { ...options, signal })) signal.throwIfAborted()
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
  })
  while (model.metrics().waitingInputs === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  delay.enable()
  try {
    const busyQuery = await queries(model, texts, options, seconds)
    delay.disable()
    // The monitor counts its own millisecond.
    const ms = (nanoseconds: number) => Math.max(nanoseconds / 1e6 - 1, 0)
    const eventLoop = {
      p50: ms(delay.percentile(50)),
      p95: ms(delay.percentile(95)),
      p99: ms(delay.percentile(99)),
      max: ms(delay.max),
    }
    return { busyQuery, eventLoop }
  } finally {
    delay.disable()
    stop.abort()
    await bulk
  }
}

async function cacheEffect(model: TextEmbedding, texts: string[], options: CallOptions) {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  const warm = async (cache: TieredCache) => {
    try {
      await model.embed(texts, { ...options, cache }).toArray()
      await cache.flush()
      const started = performance.now()
      await model.embed(texts, { ...options, cache }).toArray()
      return texts.length / ((performance.now() - started) / 1000)
    } finally {
      await cache.close()
    }
  }
  try {
    return {
      memory: await warm(tieredCache([memory({ maxBytes: CACHE_BYTES })])),
      disk: await warm(tieredCache([disk(folder, { maxBytes: CACHE_BYTES })])),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function percentiles(times: number[]): Percentiles {
  const sorted = times.sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(Math.ceil(share * sorted.length), sorted.length) - 1] ?? 0
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}
