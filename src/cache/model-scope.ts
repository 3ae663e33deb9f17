/** What caches need of one loaded model: the name of all that its rows depend on, and its calls under way. */

import { canonical } from '../base/canonical.js'
import { isNativeError, MillraceError } from '../base/errors.js'
import type {
  NativeAddon,
  NativeError,
  NativeJob,
  NativeJobOptions,
  NativeModel,
  NativeModelOptions,
} from '../binding/types.js'
import type { TieredCache } from '../options/cache.js'
import { MAX_IMAGE_BYTES } from '../options/image.js'
import { CachedJob } from './cached-job.js'
import { Flights } from './flights.js'
import { KeyedInputs } from './keyed-inputs.js'
import { type FileStates, fileStatesOf, nameModelFiles } from './model-files.js'
import type { CachedCall } from './slot.js'

/** Changes whenever the same model, options and input give another row than before. */
const FORMAT = 'millrace rows 2'

/** Rows that the native job gives at a time; few calls for many rows, however small the caller's batches. */
const INNER_BATCH = 256

/** The caches of one loaded model. */
export class ModelScope {
  #options: NativeModelOptions | undefined
  /** The model's files as they were before it was loaded. */
  #files: FileStates = new Map()
  #isToldOfChange = false
  readonly #flights = new WeakMap<TieredCache, Flights<CachedCall>>()
  readonly #jobs = new Set<WeakRef<CachedJob>>()
  readonly #caches = new Set<TieredCache>()
  #identity: Promise<string> | undefined

  /** Takes the options that the model will be loaded with, and down what its files are. Call it before the files are loaded. */
  async remember(options: NativeModelOptions): Promise<void> {
    this.#options = options
    this.#files = options.dir === undefined ? new Map() : await fileStatesOf(options.dir)
  }

  /**
   * Whether the rows of such a call depend on nothing but what a key tells, so not on batch-mates nor on a caller's function.
   */
  serves({ batching, keepPadding }: NativeJobOptions): boolean {
    return batching === 'planned' && keepPadding !== true && this.#options?.bm25?.ownStems !== true
  }

  /** Opens a call with a cache; without one where the model's files cannot be read. */
  async open(
    addon: NativeAddon,
    native: NativeModel,
    options: NativeJobOptions,
    cache: TieredCache,
  ): Promise<NativeJob | NativeError> {
    const context = await this.#context(addon, native, options, cache)
    if (context === undefined) return native.submit(options)
    const inner = native.submit({
      ...options,
      batchSize: Math.max(options.batchSize, INNER_BATCH),
      order: 'completion',
      errors: 'collect',
      eager: true,
    })
    if (isNativeError(inner)) return inner
    const { batchSize, order, errors, priority, eager = false } = options
    const job = new CachedJob({
      inner,
      cache,
      inputs: new KeyedInputs(addon, context, options.maxImageBytes ?? MAX_IMAGE_BYTES),
      flights: this.#flightsOf(cache),
      batchSize,
      order,
      errors,
      priority,
      eager,
      onEnd: () => this.#jobs.delete(held),
    })
    const held = new WeakRef(job)
    for (const other of this.#jobs) if (other.deref() === undefined) this.#jobs.delete(other)
    this.#jobs.add(held)
    this.#caches.add(cache)
    return job
  }

  /** The name of all that rows depend on but their inputs and what calls choose themselves: weights, tokenizer, configuration, options. */
  async identity(addon: NativeAddon, native: NativeModel): Promise<string> {
    const { maxLength, normalize } = native.info()
    return addon.nameFields([
      await this.#identify(addon, native, undefined),
      canonical({ maxLength, normalize }),
    ])
  }

  /** Takes no more inputs; resolves once the model has all that it must embed, or after some time. */
  async settle(timeoutMs: number | undefined): Promise<void> {
    const settled = Promise.all([...this.#jobs].map((job) => job.deref()?.refuse()))
    if (timeoutMs === undefined) {
      await settled
      return
    }
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs)
    })
    await Promise.race([settled, late])
    clearTimeout(timer)
  }

  /** Resolves when the rows so far are where they shall stay. */
  async flush(): Promise<void> {
    await Promise.all([...this.#caches].map((cache) => cache.flush()))
  }

  #flightsOf(cache: TieredCache): Flights<CachedCall> {
    const flights = this.#flights.get(cache) ?? new Flights<CachedCall>()
    this.#flights.set(cache, flights)
    return flights
  }

  /** The name of all that the rows of a call depend on, their inputs apart. */
  async #context(
    addon: NativeAddon,
    native: NativeModel,
    options: NativeJobOptions,
    cache: TieredCache,
  ): Promise<string | undefined> {
    this.#identity ??= this.#identify(addon, native, cache)
    let identity: string
    try {
      identity = await this.#identity
    } catch (error) {
      this.#identity = undefined
      this.#tellOfChange(error)
      return undefined
    }
    const { batchSize, batching, order, errors, priority, timeoutMs, eager, parallel, ...facts } = options
    const { maxLength, normalize } = native.info()
    return addon.nameFields([identity, canonical({ maxLength, normalize, ...facts })])
  }

  /** Without a word, whoever replaced a file would wonder why nothing is found in the cache. */
  #tellOfChange(error: unknown): void {
    if (this.#isToldOfChange || !(error instanceof MillraceError) || error.code !== 'MODEL_INVALID') return
    this.#isToldOfChange = true
    process.emitWarning(`The cache is not used: ${error.message}`, {
      type: 'MillraceWarning',
      code: 'MILLRACE_MODEL_CHANGED',
    })
  }

  async #identify(addon: NativeAddon, native: NativeModel, cache: TieredCache | undefined): Promise<string> {
    if (this.#options === undefined) throw new MillraceError('INTERNAL', 'The model has no options')
    // What is not named here counts: an option that is added later must not be forgotten.
    const {
      threads,
      parallel,
      device,
      deviceIds,
      maxBatchTokens,
      maxMemory,
      maxQueue,
      modelFile,
      // Who says an option does not change a row.
      defined,
      ...chosen
    } = this.#options
    const { dir, pooling, normalize, maxLength, outputName, ...facts } = chosen
    const info = native.info()
    // What a call may choose too is in the call's own name, as far as the model tells it.
    const resolved = {
      pooling: info.pooling ?? pooling,
      outputName: info.outputName ?? outputName,
      ...(info.normalize === undefined && { normalize }),
      ...(info.maxLength === undefined && { maxLength }),
    }
    const files =
      dir === undefined ? [] : await nameModelFiles(addon, dir, info.modelFile, cache, this.#files)
    const options = canonical({ ...facts, ...resolved, batchInvariance: facts.batchInvariance ?? true })
    return addon.nameFields([FORMAT, options, ...files])
  }
}
