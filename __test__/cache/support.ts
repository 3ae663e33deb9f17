/** A stream over a job in memory with a real cache before it, put together as a model does it. */

import { type DenseBatch, denseFromNative, type VectorOf } from '../../src/batches/dense.js'
import { DenseMatrix } from '../../src/batches/dense-matrix.js'
import { loadAddon } from '../../src/binding/load.js'
import { CachedJob } from '../../src/cache/cached-job.js'
import { entryOf } from '../../src/cache/entry.js'
import { Flights } from '../../src/cache/flights.js'
import { KeyedInputs } from '../../src/cache/keyed-inputs.js'
import type { CacheAnswer, CacheEntry, CacheTier, TieredCache } from '../../src/options/cache.js'
import { EmbeddingStream, type StreamPlan } from '../../src/stream/embedding-stream.js'
import { texts as textItems } from '../../src/stream/items.js'
import { DIM, MemoryJob, type MemoryJobOptions, vectorOf } from '../support/memory-job.js'

type Dense = DenseBatch<'float32'>

const CONTEXT = 'a test model'

export const keyOf = (text: string): string => loadAddon().addon.nameTexts(CONTEXT, [text])[0] ?? ''

/** The entry of a text as the job in memory would make it. */
export function entryFor(text: string): CacheEntry {
  const key = keyOf(text)
  const batch = {
    offset: 0,
    length: 1,
    dim: DIM,
    dtype: 'float32',
    data: Float32Array.from(vectorOf(text)),
    tokens: Uint32Array.of(text.length + 2),
    truncated: Uint8Array.of(0),
    errors: [],
  } as const
  return [key, entryOf(key, { ...batch, errors: [] }, 0)]
}

export interface CachedOptions extends MemoryJobOptions {
  cache: TieredCache
  flights?: Flights<CachedJob>
  order?: 'input' | 'completion'
  priority?: number
}

export function cachedJob({ cache, flights, order, priority, ...options }: CachedOptions) {
  const { batchSize = 4, errors = 'throw' } = options
  const inner = new MemoryJob({ window: 8, ...options, errors: 'collect', completion: true, eager: true })
  const job = new CachedJob({
    inner,
    cache,
    inputs: new KeyedInputs(loadAddon().addon, CONTEXT, 1e6),
    flights: flights ?? new Flights(),
    batchSize,
    order: order ?? 'input',
    errors,
    priority: priority ?? 0,
    eager: false,
    onEnd() {},
  })
  return { job, inner }
}

export function cachedStream(
  source: unknown,
  options: CachedOptions,
  extra: Partial<Pick<StreamPlan<Dense>, 'signal' | 'onProgress'>> = {},
) {
  const { job, inner } = cachedJob(options)
  const stream = new EmbeddingStream<Dense, VectorOf<'float32'> | null>({
    source,
    kind: textItems,
    open: async () => job,
    decode: (native, inputErrors) => denseFromNative<'float32'>(native, inputErrors),
    collector: () => new DenseMatrix<'float32'>({ dtype: 'float32', dim: DIM, rows: 0 }),
    collect: options.errors === 'collect',
    ...extra,
  })
  return { stream, job, inner }
}

/** A tier of promises over a map, with knobs to break it. */
export class BrokenTier implements CacheTier {
  readonly name = 'broken'
  /** Short for a tier that hangs, but far more than a tier in memory needs on a busy machine. */
  readonly timeoutMs = 1_000
  readonly values = new Map<string, Uint8Array>()
  gets = 0
  sets = 0
  closed = 0
  mode: 'well' | 'throws' | 'rejects' | 'hangs' | 'short' | 'wrong' | 'flipped' = 'well'
  delayMs = 0
  /** Writes wait for this. */
  writable: Promise<void> | undefined

  async getMany(keys: readonly string[]): Promise<CacheAnswer> {
    this.gets++
    await this.#misbehave()
    if (this.mode === 'short') return []
    return keys.map((key) => {
      const value = this.values.get(key)
      if (this.mode === 'wrong') return [...this.values.values()].find((other) => other !== value)
      if (value === undefined || this.mode !== 'flipped') return value
      const flipped = Uint8Array.from(value)
      const at = flipped.length - 1
      flipped[at] = (flipped[at] ?? 0) ^ 1
      return flipped
    })
  }

  async setMany(entries: readonly CacheEntry[]): Promise<void> {
    this.sets++
    await this.#misbehave()
    await this.writable
    for (const [key, value] of entries) this.values.set(key, value)
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    this.closed++
  }

  async #misbehave(): Promise<void> {
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs))
    if (this.mode === 'throws' || this.mode === 'rejects') throw new Error('it is broken')
    if (this.mode === 'hangs') await new Promise(() => {})
  }
}
