/**
 * The life of one native model: its files found and loaded once, shared by all calls, closed once. It knows no texts and no
 * streams, and no place of files.
 */

import { onAbort } from '../base/abort.js'
import { fromNative, MillraceError, unwrap } from '../base/errors.js'
import { loadAddon, loadRuntime } from '../binding/load.js'
import type { NativeAddon, NativeMetrics, NativeModel, NativeModelOptions } from '../binding/types.js'
import { ModelScope } from '../cache/model-scope.js'
import { traced } from '../metrics/tracing.js'
import type { RolePrompts } from '../models/registry.js'
import { warnOnceIfClamped } from './clamped-warning.js'

const NO_METRICS: NativeMetrics = {
  inputs: 0,
  tokens: 0,
  paddedTokens: 0,
  runs: 0,
  failedRuns: 0,
  waitingInputs: 0,
  queueAgeMs: 0,
  openJobs: 0,
  refusedJobs: 0,
  startedInputs: 0,
  waitMs: 0,
  prepareMs: 0,
  inferenceMs: 0,
  finishMs: 0,
  runTimeBoundsMs: [],
  runTimes: [],
  errors: {},
}

/** How a model is found. */
export interface ModelRecipe {
  /** The model's name. */
  name: string
  /** The options of the native model; may download. Called at each attempt to load; rejects with the signal's reason. */
  prepare(signal: AbortSignal): Promise<NativeModelOptions>
  /** What the model's definition says to write before texts. */
  prompts?: RolePrompts | undefined
  /** Aborts downloading and loading. It does nothing to a loaded model. */
  signal?: AbortSignal | undefined
}

/** A native model that is loaded at the first use. */
export class LoadedModel {
  /** The model's name. */
  readonly name: string
  /** What the model's definition says to write before texts. */
  readonly prompts: RolePrompts | undefined
  /** Its calls that use caches. */
  readonly caching = new ModelScope()
  readonly #recipe: ModelRecipe
  readonly #closing = new AbortController()
  #loading: Promise<NativeModel> | undefined
  #native: NativeModel | undefined
  /** The end of a model that nobody waited for. */
  #dropped: Promise<unknown> | undefined
  #lastMetrics = NO_METRICS

  constructor(recipe: ModelRecipe) {
    this.name = recipe.name
    this.prompts = recipe.prompts
    this.#recipe = recipe
  }

  /**
   * The model; concurrent first uses share one load. A failed load is not remembered. Rejects with CLOSED after `close`, and
   * with the reason of the recipe's signal while it is loading.
   */
  async get(): Promise<NativeModel> {
    const { signal } = this.#closing
    signal.throwIfAborted()
    this.#loading ??= traced('millrace.load', { 'millrace.model': this.name }, () => this.#load())
    const native = await this.#loading
    signal.throwIfAborted()
    return native
  }

  /** Counters since the load; zeros before it, the last ones after `close`. */
  metrics(): NativeMetrics {
    return this.#native?.metrics() ?? this.#lastMetrics
  }

  /** Ends a download too. May be called again, with a shorter time too. */
  async close(timeoutMs: number | undefined): Promise<void> {
    this.#closing.abort(new MillraceError('CLOSED', 'The model was closed'))
    // A load that failed has nothing to close, and its error went to whoever asked for the model.
    const native = await this.#loading?.catch(() => undefined)
    await this.#dropped
    if (native === undefined) return
    await this.caching.settle(timeoutMs)
    const failure = await native.close(timeoutMs)
    await this.caching.flush()
    if (this.#native !== undefined) {
      this.#lastMetrics = this.#native.metrics()
      this.#native = undefined
    }
    if (failure !== null) throw fromNative(failure)
  }

  async #load(): Promise<NativeModel> {
    const { prepare, signal } = this.#recipe
    const closing = this.#closing.signal
    try {
      signal?.throwIfAborted()
      const options = await prepare(signal === undefined ? closing : AbortSignal.any([signal, closing]))
      await this.caching.remember(options)
      const addon = await addonFor(options)
      closing.throwIfAborted()
      signal?.throwIfAborted()
      const native = await this.#orAborted(addon.loadModel(options).then(unwrap), signal)
      this.#native = native
      warnOnceIfClamped(native.info())
      return native
    } catch (error) {
      this.#loading = undefined
      throw error
    }
  }

  /** Nothing ends a native load under way: when aborted, its model is closed as soon as it is there. */
  #orAborted(loading: Promise<NativeModel>, signal: AbortSignal | undefined): Promise<NativeModel> {
    if (signal === undefined) return loading
    return new Promise((resolve, reject) => {
      const unlisten = onAbort(signal, () => {
        this.#dropped = loading.then((native) => native.close(0)).catch(() => undefined)
        reject(signal.reason)
      })
      loading.then(resolve, reject).finally(unlisten)
    })
  }
}

/** ONNX Runtime is loaded only for families that run a graph. */
async function addonFor({ family, kind }: NativeModelOptions): Promise<NativeAddon> {
  const hasGraph = family !== 'static' && kind !== 'bm25'
  return hasGraph ? (await loadRuntime()).addon : loadAddon().addon
}
