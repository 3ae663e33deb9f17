/**
 * Options of a call that every family shares, and their way into a native job. Options of the model itself are in
 * `model.ts`; what a family adds is in the file of its name.
 */

import { invalidOption } from '../base/errors.js'
import { isAbortSignal, isIntegerIn, isRecord } from '../base/is.js'
import type { NativeJobOptions } from '../binding/types.js'
import type { TieredCache } from './cache.js'
import type { Check, Checked, Checks } from './check.js'
import { boolean, integer, MAX_COUNT, oneOf, parseOptions, positiveInteger, positiveNumber } from './check.js'

/** What a failed input does: end the stream with its error, or be reported in its batch's `errors`. */
export type ErrorMode = 'throw' | 'collect'

/** What a row is for a call: `null` for a failed input of one with `errors: 'collect'`. */
export type RowOr<V, E extends ErrorMode> = E extends 'collect' ? V | null : V

/** How far a stream is. */
export interface Progress {
  /** Rows finished, failed ones included. */
  done: number
  /** Rows in all, when it is known: arrays, or the option `total`. */
  total?: number
  /** Rows a second since the stream began. */
  rowsPerSecond: number
  /** Tokens of the inputs a second since the stream began, padding not counted. */
  tokensPerSecond: number
  /** Padding in the computed tokens: 0 is none, 0.5 is half of the work. */
  paddingShare: number
}

/** Options of a call that a model also takes as defaults for its calls. */
export interface CommonDefaults<E extends ErrorMode = ErrorMode> {
  /** Rows of an emitted batch. It does not steer memory or speed: see `maxBatchTokens`. @default 256 */
  batchSize?: number | undefined
  /**
   * `planned`: runs hold inputs of like length, of this and other calls. `fixed`: a run is a slice of `batchSize`
   * inputs in input order, to reproduce results that depend on their batch-mates. @default 'planned'
   */
  batching?: 'planned' | 'fixed' | undefined
  /** Order of the rows; with `completion`, a batch's `positions` tell each row's input. @default 'input' */
  order?: 'input' | 'completion' | undefined
  /** @default 'throw' */
  errors?: E | undefined
  /**
   * Higher runs first; 0 is ordinary. As a model's default it is the one of documents, and queries are ten
   * above it. @default 0, queries 10
   */
  priority?: number | undefined
  /** Longest time of one run in milliseconds; a longer one fails with TIMEOUT. @default none */
  timeoutMs?: number | undefined
  /**
   * Where rows are kept, so that equal inputs are embedded once; `false` for none. Calls whose rows depend on their
   * batch-mates or on a caller's function do without: `batching: 'fixed'`, `keepPadding`, a `stemmer` of one's own.
   * @default false
   */
  cache?: TieredCache | false | undefined
}

/** Options of one call. */
export interface CallOptions {
  /** Aborts the call: pending and later reads reject with `signal.reason`. */
  signal?: AbortSignal | undefined
  /** Called at most ten times a second, and once at the end. If it throws, the stream rejects with that. */
  onProgress?: ((progress: Progress) => void) | undefined
  /**
   * Give rows as soon as they are finished instead of waiting for whole batches of `batchSize`: for sources that pause.
   * @default false
   */
  eager?: boolean | undefined
  /**
   * Sessions that may work for this call at once: `null` and 1 one, `0` all, or a number. A background call with 1 leaves the
   * other sessions to others. Tokenising and decoding are bounded alike. @default all
   */
  parallel?: number | null | undefined
  /** How many inputs the source has, when the caller knows: only for `onProgress` and to reserve memory. */
  total?: number | undefined
}

/** What families of text add to the defaults. */
export interface TextDefaults {
  /**
   * A text longer than the model's limit: cut it and flag it, or fail with INPUT_TOO_LONG. When nobody chooses, texts
   * are cut and the first cut is said once a process (warning MILLRACE_TRUNCATED). @default 'truncate'
   */
  overflow?: 'truncate' | 'error' | undefined
}

/** What families of text add to a call. */
export interface TextCallOptions {
  /** Longest text in tokens, special tokens included; never above the model's own limit. */
  maxLength?: number | undefined
}

export const commonDefaultChecks: Checks<CommonDefaults> = {
  batchSize: positiveInteger,
  batching: oneOf('planned', 'fixed'),
  order: oneOf('input', 'completion'),
  errors: oneOf('throw', 'collect'),
  priority: integer(-1_000_000, 1_000_000),
  timeoutMs: positiveNumber,
  cache: (name, value) => {
    // Not `instanceof`: it may come from the other of this package's two builds.
    const isCache = isRecord(value) && ['now', 'later', 'put'].every((method) => method in value)
    if (value !== false && !isCache) throw invalidOption(name, 'cache made by tieredCache, or false', value)
    return value as TieredCache | false
  },
}

export const textDefaultChecks: Checks<TextDefaults> = { overflow: oneOf('truncate', 'error') }

export const signal: Check<AbortSignal> = (name, value) => {
  if (!isAbortSignal(value)) throw invalidOption(name, 'AbortSignal', value)
  return value
}

/** Any function; what it is called with is the caller's affair. */
export function callback<F extends (...args: never[]) => unknown>(name: string, value: unknown): F {
  if (typeof value !== 'function') throw invalidOption(name, 'function', value)
  return value as F
}

/** A number of sessions, as FastEmbed writes it. */
export const parallel: Check<number | null> = (name, value) => {
  if (value !== null && !isIntegerIn(value, 0, MAX_COUNT)) {
    throw invalidOption(name, 'integer from 0, or null', value)
  }
  return value
}

export const callChecks: Checks<CallOptions> = {
  signal,
  onProgress: callback,
  eager: boolean,
  parallel,
  total: integer(0, Number.MAX_SAFE_INTEGER, 'integer from 0'),
}

export const textCallChecks: Checks<TextCallOptions> = { maxLength: positiveInteger }

/**
 * Rows of a batch where the caller names no number: FastEmbed's. This is the only place that decides it; the core takes the number it is given.
 */
const DEFAULT_BATCH_SIZE = 256

/** How much more urgent a query is than bulk work: someone waits for it. */
export const QUERY_PRIORITY = 10

/** A checked call: what goes to the native job, and what TypeScript does itself. */
export interface Call<O> {
  job: NativeJobOptions
  signal?: AbortSignal
  onProgress?: (progress: Progress) => void
  total?: number
  /** The caller chose what happens to long texts, so cutting them is no surprise. */
  overflowChosen: boolean
  cache?: TieredCache
  /** All options as checked, defaults included: for those that are not the job's. */
  options: Checked<O>
}

/** Options of a native job that a family works out itself once the model is there. */
type WorkedOut = 'prompt' | 'task' | 'role' | 'input' | 'sigmoid'

/**
 * The options of a call that its native job takes as they are. The type makes this table complete: a new option of the job
 * does not compile before someone says here, or in `WorkedOut`, where its value comes from. All other options of a call stay in
 * TypeScript.
 */
const HANDED_ON: Readonly<Record<Exclude<keyof NativeJobOptions, WorkedOut>, true>> = {
  autoOrient: true,
  batchSize: true,
  batching: true,
  chunkOutput: true,
  chunkOverlap: true,
  dimensions: true,
  dtype: true,
  eager: true,
  errors: true,
  keepPadding: true,
  maxImageBytes: true,
  maxImagePixels: true,
  maxLength: true,
  parallel: true,
  normalize: true,
  order: true,
  overflow: true,
  priority: true,
  timeoutMs: true,
}

/** Checks the options of a call and fills in the defaults. */
export function parseCall<O extends CommonDefaults & CallOptions>(
  where: string,
  options: unknown,
  checks: Checks<O>,
  defaults: Checked<O>,
  basePriority = 0,
): Call<O> {
  const own: Checked<CommonDefaults> = parseOptions<O>(where, options, checks)
  const merged: Checked<O> = { ...defaults, ...own }
  const { signal, onProgress, total, cache }: Checked<CallOptions & CommonDefaults> = merged
  const given: Checked<CommonDefaults & TextDefaults> = Object.fromEntries(
    Object.entries(merged).filter(([name]) => Object.hasOwn(HANDED_ON, name)),
  )
  const before: Checked<CommonDefaults> = defaults
  const job: NativeJobOptions = {
    batchSize: DEFAULT_BATCH_SIZE,
    batching: 'planned',
    order: 'input',
    overflow: 'truncate',
    errors: 'throw',
    dtype: 'float32',
    ...given,
    priority: own.priority ?? (before.priority ?? 0) + basePriority,
  }
  return {
    job,
    overflowChosen: given.overflow !== undefined,
    options: merged,
    ...(cache !== undefined && cache !== false && { cache }),
    ...(signal !== undefined && { signal }),
    ...(onProgress !== undefined && { onProgress }),
    ...(total !== undefined && { total }),
  }
}
