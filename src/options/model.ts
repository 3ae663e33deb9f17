/** Options of any model, checked. Which directory a name means is decided in `../models/`. */

import { fileURLToPath } from 'node:url'
import { invalidOption } from '../base/errors.js'
import { isUrl } from '../base/foreign.js'
import { bytes } from './bytes.js'
import { callback, parallel, signal } from './call.js'
import type { Check, Checked, Checks } from './check.js'
import { boolean, nonEmptyString, nonNegativeInteger, oneOf, parseOptions, positiveInteger } from './check.js'

/** How far a download is. Reported when a file begins and ends, and about ten times a second between. */
export interface DownloadProgress {
  repo: string
  /** The file, as a path in the repository. */
  file: string
  /** Bytes of the file that are here, those of earlier attempts included. */
  receivedBytes: number
  /** Bytes of the file; absent while the hub has not said. */
  totalBytes?: number
  /** Files that are complete, and all that were asked for. */
  filesDone: number
  filesTotal: number
}

/** Options of `create` that every family shares. */
export interface ModelOptions {
  /**
   * Name of a supported or registered model; any letter case. With `modelPath`, a label (or, if registered, where pooling and
   * the like come from). @default the family's default model
   */
  model?: string | undefined
  /** Directory of the model's files (path or `file:` URL): `tokenizer.json`, the ONNX file, their configuration. */
  modelPath?: string | URL | undefined
  /** The ONNX file inside the directory. @default the first of the usual names that is there */
  modelFile?: string | undefined
  /**
   * Where downloaded models are kept, in the layout of the hub's own clients, which share it.
   * @default FASTEMBED_CACHE_PATH, HF_HUB_CACHE, HF_HOME/hub or ~/.cache/huggingface/hub
   */
  cacheDir?: string | undefined
  /**
   * Never use the network: files that are not in the cache are OFFLINE. A complete model in the cache never uses it anyway.
   * HF_HUB_OFFLINE=1 does the same for the process. @default false
   */
  localFilesOnly?: boolean | undefined
  /**
   * Aborts downloading and loading: `create` (with `lazyLoad`, the first use) rejects with `signal.reason`. What has arrived
   * is kept and continued next time. It does nothing to a loaded model.
   */
  signal?: AbortSignal | undefined
  /**
   * Called while files are downloaded: when one begins and ends, about ten times a second between; never when all are in the
   * cache. If it throws, loading rejects with that.
   */
  onDownload?: ((progress: DownloadProgress) => void) | undefined
  /**
   * Threads inside one run. More than the cores allowed are cut to them: `info().clamped` and one warning (MILLRACE_CLAMPED) say
   * so. @default what is left of the allowed cores after `parallel`
   */
  threads?: number | undefined
  /**
   * Sessions, each of which works at one run at a time: `null` one with all threads, `0` one per allowed core, or a number, which is cut
   * to the cores allowed as `threads` are. A call has an option of the same name that bounds that call. @default one per core
   */
  parallel?: number | null | undefined
  /** `auto` falls back to the CPU and says so in `info()`; `cuda` is real or DEVICE_UNAVAILABLE. @default 'cpu' */
  device?: 'cpu' | 'cuda' | 'auto' | undefined
  /** CUDA devices, one session each. @default [0] */
  deviceIds?: readonly number[] | undefined
  /** Most tokens of one run, padding included: bounds memory and steers speed. @default measured for the device */
  maxBatchTokens?: number | undefined
  /**
   * Most memory that all runs under way may take together, beside the weights: bytes, or a string such as `'512MB'` or `'2GiB'`. Attention
   * takes memory by the square of a text's length, so long texts take turns, while ordinary ones never wait for them. A text that no run
   * has memory for is INPUT_TOO_LONG. `info().memory` tells the budget and what the longest text needs.
   * @default what the longest text needs, at least 1 GiB, at most three quarters of what the process may have
   */
  maxMemory?: number | string | undefined
  /**
   * Keep an input's result independent of the inputs it runs with, by running rows alone where the graph mixes them (dynamic
   * quantisation). `false` trades that for speed. @default true
   */
  batchInvariance?: boolean | undefined
  /** Load at the first use instead of in `create`; concurrent first uses share the load. @default false */
  lazyLoad?: boolean | undefined
  /** Most calls that may be open at a time; one more is refused with OVERLOADED. */
  maxQueue?: number | undefined
}

/** A directory, as a path. */
export const directory: Check<string> = (name, value) => {
  if (isUrl(value)) {
    if (value.protocol !== 'file:') throw invalidOption(name, 'path or file: URL', value.href)
    return fileURLToPath(value.href)
  }
  return nonEmptyString(name, value)
}

const deviceIds: Check<readonly number[]> = (name, value) => {
  const isList = Array.isArray(value) && value.length > 0 && new Set(value).size === value.length
  if (!isList) throw invalidOption(name, 'non-empty array of different integers', value)
  return value.map((id, i) => nonNegativeInteger(`${name}[${i}]`, id))
}

export const modelChecks: Checks<ModelOptions> = {
  model: nonEmptyString,
  modelPath: directory,
  modelFile: nonEmptyString,
  cacheDir: nonEmptyString,
  localFilesOnly: boolean,
  signal,
  onDownload: callback,
  threads: positiveInteger,
  parallel,
  device: oneOf('cpu', 'cuda', 'auto'),
  deviceIds,
  maxBatchTokens: positiveInteger,
  maxMemory: bytes,
  batchInvariance: boolean,
  lazyLoad: boolean,
  maxQueue: positiveInteger,
}

/** Options whose check gives back another type than it takes: a path for a URL, bytes for an amount with a unit. */
interface Converted {
  modelPath?: string
  maxMemory?: number
}

/** The options of any model, checked. */
export type CheckedModel = Omit<Checked<ModelOptions>, keyof Converted> & Converted

/** The options of a model, checked, with the defaults of its calls apart. */
export interface ParsedModel<O, D> {
  model: Checked<Omit<O, keyof D | keyof Converted>> & CheckedModel
  calls: Checked<D>
}

/** Checks the options of a family's `create`. `defaults` are the checks of those that are defaults of calls. */
export function parseModel<O extends ModelOptions, D>(
  where: string,
  options: unknown,
  checks: Checks<O>,
  defaults: Checks<D>,
): ParsedModel<O, D> {
  const entries = Object.entries(parseOptions<O>(where, options, { ...defaults, ...checks }))
  const isDefault = ([name]: [string, unknown]) => Object.hasOwn(defaults, name)
  const model: Checked<ModelOptions> = Object.fromEntries(entries.filter((entry) => !isDefault(entry)))
  if (model.deviceIds !== undefined && (model.device ?? 'cpu') === 'cpu') {
    throw invalidOption('deviceIds', "no value with device 'cpu'", model.deviceIds)
  }
  return {
    model: model as ParsedModel<O, D>['model'],
    calls: Object.fromEntries(entries.filter(isDefault)) as Checked<D>,
  }
}
