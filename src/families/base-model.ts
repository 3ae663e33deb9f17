/** What the classes of all families share: a name, one native model, counters, an end. They add what is embedded and how. */

import { loadAddon } from '../binding/load.js'
import type { NativeModel, NativeModelInfo } from '../binding/types.js'
import type { LoadedModel } from '../loading/loaded-model.js'
import type { ModelMetrics } from '../metrics/metrics.js'
import type { TieredCache } from '../options/cache.js'
import type { CommonDefaults } from '../options/call.js'
import { type Checked, nonNegativeInteger, parseOptions } from '../options/check.js'

/** What a loaded model is and how it runs; sizes in bytes. What its family does not have is absent. */
export interface ModelInfo extends NativeModelInfo {
  /** Its name. */
  model: string
}

/** A model of whatever family. */
export abstract class BaseModel implements AsyncDisposable {
  /** Name of the model. */
  readonly model: string
  /** @internal */
  protected readonly loaded: LoadedModel
  readonly #cache: TieredCache | undefined

  /** @internal */
  constructor(model: string, loaded: LoadedModel, { cache }: Checked<CommonDefaults>) {
    this.model = model
    this.loaded = loaded
    this.#cache = cache === false ? undefined : cache
  }

  /** @internal The native model and the name of all that its rows depend on but the inputs and the options of calls. */
  async named(): Promise<{ native: NativeModel; identity: string }> {
    const native = await this.loaded.get()
    return { native, identity: await this.loaded.caching.identity(loadAddon().addon, native) }
  }

  /** What is loaded and how it runs. Loads the model if it is not yet. Rejects with CLOSED after `close`. */
  async info(): Promise<ModelInfo> {
    const info = (await this.loaded.get()).info()
    return { model: this.model, ...info, prompts: { ...info.prompts, ...this.loaded.prompts } }
  }

  /** Counters since the load: zeros before it, the last ones after `close`. Never loads the model. */
  metrics(): ModelMetrics {
    const cache = this.#cache?.metrics()
    return { ...this.loaded.metrics(), ...(cache !== undefined && { cache }) }
  }

  /**
   * Finishes the inputs already taken in, frees threads and memory, and writes what its caches have not written yet. With `timeoutMs`, work that takes longer is
   * terminated. May be called again. Streams that are not at their end reject with CLOSED.
   */
  async close(options?: { timeoutMs?: number | undefined }): Promise<void> {
    const checks = { timeoutMs: nonNegativeInteger }
    const { timeoutMs } = parseOptions<{ timeoutMs?: number | undefined }>('close', options, checks)
    await this.loaded.close(timeoutMs)
  }

  /** `close()` without a time limit, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
