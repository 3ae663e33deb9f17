/** Options of a text model, checked. Which directory a name means is decided in `../models/`. */

import { fileURLToPath } from 'node:url'
import { invalidOption } from '../errors.js'
import { isIntegerIn, isRecord } from '../is.js'
import {
  boolean,
  type Check,
  type Checked,
  type Checks,
  integer,
  MAX_COUNT,
  nonEmptyString,
  oneOf,
  parseOptions,
  positiveInteger,
  string,
} from './check.js'
import { type CallDefaults, callDefaultChecks, type DType, type ErrorMode } from './embed.js'

/** How a text's token vectors become one vector. `none`: the graph's output already is one per text. */
export type Pooling = 'cls' | 'mean' | 'last' | 'max' | 'none'

/** Prompts by role, written before each text. A role that is left out has none. */
export interface Prompts {
  /** Of `queryEmbed`. */
  query?: string | undefined
  /** Of `passageEmbed`. */
  passage?: string | undefined
}

/** Options of `TextEmbedding.create`. Call options given here are defaults for the model's calls. */
export interface TextEmbeddingOptions<D extends DType = DType, E extends ErrorMode = ErrorMode>
  extends CallDefaults<D, E> {
  /**
   * Name of a supported or registered model; any letter case. With `modelPath`, a label (or, if registered, where pooling and
   * the like come from). @default 'sentence-transformers/all-MiniLM-L6-v2', the bundled model
   */
  model?: string | undefined
  /** Directory of the model's files (path or `file:` URL): `tokenizer.json`, the ONNX file, their configuration. */
  modelPath?: string | URL | undefined
  /** The ONNX file inside the directory. @default the first of the usual names that is there */
  modelFile?: string | undefined
  /** Where downloaded models are kept. This version downloads nothing, so it has no effect yet. */
  cacheDir?: string | undefined
  /** Never use the network. This version never does. */
  localFilesOnly?: boolean | undefined
  /** Threads inside one run. @default what is left of the allowed cores after `parallel` */
  threads?: number | undefined
  /** Runs at a time: `null` one with all threads, `0` one per allowed core, or a number. @default one per core */
  parallel?: number | null | undefined
  /** `auto` falls back to the CPU and says so in `info()`; `cuda` is real or DEVICE_UNAVAILABLE. @default 'cpu' */
  device?: 'cpu' | 'cuda' | 'auto' | undefined
  /** CUDA devices, one session each. @default [0] */
  deviceIds?: readonly number[] | undefined
  /** Most tokens of one run, padding included: bounds memory and steers speed. @default measured for the device */
  maxBatchTokens?: number | undefined
  /** Longest text in tokens, special tokens included. @default what the model's files say */
  maxLength?: number | undefined
  /**
   * Keep a text's vector independent of the texts it runs with, by running rows alone where the graph mixes them (dynamic
   * quantisation). `false` trades that for speed. @default true
   */
  batchInvariance?: boolean | undefined
  /** @default what the model's files say, else `mean` */
  pooling?: Pooling | undefined
  /** Scale vectors to length 1. @default what the model's files say */
  normalize?: boolean | undefined
  /** Output of the graph to take, by name. */
  outputName?: string | undefined
  /** Load at the first use instead of in `create`; concurrent first uses share the load. @default false */
  lazyLoad?: boolean | undefined
  /**
   * Text written before each input. `none`: nothing, as FastEmbed does. `auto`: the prompts of the directory's
   * sentence-transformers configuration (its default prompt for `embed`). Or the prompts themselves, for
   * `queryEmbed` and `passageEmbed`. @default 'none'
   */
  prompts?: 'none' | 'auto' | Prompts | undefined
  /** Most calls that may be open at a time; one more is refused with OVERLOADED. */
  maxQueue?: number | undefined
}

const modelPath: Check<string | URL> = (name, value) => {
  if (value instanceof URL) {
    if (value.protocol !== 'file:') throw invalidOption(name, 'path or file: URL', value.href)
    return fileURLToPath(value)
  }
  return nonEmptyString(name, value)
}

/** Directory as a path. */
export const directory = modelPath as Check<string>

export const pooling: Check<Pooling> = oneOf('cls', 'mean', 'last', 'max', 'none')

const parallel: Check<number | null> = (name, value) => {
  if (value !== null && !isIntegerIn(value, 0, MAX_COUNT))
    throw invalidOption(name, 'integer from 0, or null', value)
  return value
}

const deviceIds: Check<readonly number[]> = (name, value) => {
  const isList = Array.isArray(value) && value.length > 0 && new Set(value).size === value.length
  if (!isList) throw invalidOption(name, 'non-empty array of different integers', value)
  return value.map((id, i) => integer(0, MAX_COUNT, 'integer from 0')(`${name}[${i}]`, id))
}

const prompts: Check<'none' | 'auto' | Prompts> = (name, value) => {
  if (isRecord(value)) return parseOptions<Prompts>(name, value, { query: string, passage: string })
  if (value === 'none' || value === 'auto') return value
  throw invalidOption(name, "'none', 'auto' or { query?, passage? }", value)
}

const modelChecks: Checks<TextEmbeddingOptions> = {
  ...callDefaultChecks,
  model: nonEmptyString,
  modelPath,
  modelFile: nonEmptyString,
  cacheDir: nonEmptyString,
  localFilesOnly: boolean,
  threads: positiveInteger,
  parallel,
  device: oneOf('cpu', 'cuda', 'auto'),
  deviceIds,
  maxBatchTokens: positiveInteger,
  maxLength: positiveInteger,
  batchInvariance: boolean,
  pooling,
  normalize: boolean,
  outputName: nonEmptyString,
  lazyLoad: boolean,
  prompts,
  maxQueue: positiveInteger,
}

/** The options of a model, checked, with the defaults of its calls apart. */
export interface ParsedModel {
  model: Omit<Checked<TextEmbeddingOptions>, keyof CallDefaults | 'modelPath'> & { modelPath?: string }
  calls: Checked<CallDefaults>
}

/** Checks the options of `TextEmbedding.create`. */
export function parseModel(where: string, options: unknown): ParsedModel {
  const { batchSize, batching, order, overflow, errors, dtype, dimensions, priority, timeoutMs, ...model } =
    parseOptions<TextEmbeddingOptions>(where, options, modelChecks)
  if (model.deviceIds !== undefined && (model.device ?? 'cpu') === 'cpu') {
    throw invalidOption('deviceIds', "no value with device 'cpu'", model.deviceIds)
  }
  const calls = { batchSize, batching, order, overflow, errors, dtype, dimensions, priority, timeoutMs }
  return { model: model as ParsedModel['model'], calls: defined(calls) }
}

/** The same object without its undefined values. */
function defined(calls: CallDefaults): Checked<CallDefaults> {
  return Object.fromEntries(Object.entries(calls).filter(([, value]) => value !== undefined))
}
