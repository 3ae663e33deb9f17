/**
 * Options of a call (`embed`, `queryEmbed`, `passageEmbed`), and their way into a native job. Options of the
 * model itself are in `model.ts`.
 */

import type { NativeDType, NativeJobOptions } from '../binding/types.js'
import { invalidOption, MillraceError } from '../errors.js'
import { isAbortSignal } from '../is.js'
import {
  boolean,
  type Check,
  type Checked,
  type Checks,
  integer,
  oneOf,
  parseOptions,
  positiveInteger,
  positiveNumber,
  string,
} from './check.js'

/**
 * Format of a row's values. `float16` comes as raw bits; `int8` and `uint8` are multiplied by the row's scale to get the
 * vector back; `binary` and `ubinary` hold one bit per dimension, eight to a byte.
 */
export type DType = NativeDType

/** What a failed input does: end the stream with its error, or be reported in its batch's `errors`. */
export type ErrorMode = 'throw' | 'collect'

/** How far a stream is. */
export interface Progress {
  /** Rows finished, failed ones included. */
  done: number
  /** Rows in all, when it is known: arrays, or the option `total`. */
  total?: number
  /** Rows a second since the stream began. */
  textsPerSecond: number
  /** Tokens of the inputs a second since the stream began, padding not counted. */
  tokensPerSecond: number
  /** Padding in the computed tokens: 0 is none, 0.5 is half of the work. */
  paddingShare: number
}

/** Options of a call that a model also takes as defaults for its calls. */
export interface CallDefaults<D extends DType = DType, E extends ErrorMode = ErrorMode> {
  /** Rows of an emitted batch. It does not steer memory or speed: see `maxBatchTokens`. @default 256 */
  batchSize?: number | undefined
  /**
   * `planned`: runs hold texts of like length, of this and other calls. `fixed`: a run is a slice of `batchSize`
   * inputs in input order, to reproduce vectors that depend on their batch-mates. @default 'planned'
   */
  batching?: 'planned' | 'fixed' | undefined
  /** Order of the rows; with `completion`, a batch's `indices` tell each row's input. @default 'input' */
  order?: 'input' | 'completion' | undefined
  /**
   * A text longer than the model's limit: cut it and flag it, or fail with INPUT_TOO_LONG. When nobody chooses, texts
   * are cut and the first cut is said once a process (warning MILLRACE_TRUNCATED). @default 'truncate'
   */
  overflow?: 'truncate' | 'error' | undefined
  /** @default 'throw' */
  errors?: E | undefined
  /** @default 'float32' */
  dtype?: D | undefined
  /** Cut vectors to this many dimensions and normalise again: for models trained for it (Matryoshka). */
  dimensions?: number | undefined
  /**
   * Higher runs first; 0 is ordinary. As a model's default it is the one of `embed` and `passageEmbed`, and queries are ten
   * above it. @default 0, queries 10
   */
  priority?: number | undefined
  /** Longest time of one run in milliseconds; a longer one fails with TIMEOUT. @default none */
  timeoutMs?: number | undefined
}

/** Options of one call. */
export interface EmbedOptions<D extends DType = DType, E extends ErrorMode = ErrorMode>
  extends CallDefaults<D, E> {
  /** Longest text in tokens, special tokens and prompt included; never above the model's own limit. */
  maxLength?: number | undefined
  /** Scale vectors to length 1. @default what the model's files say */
  normalize?: boolean | undefined
  /** Aborts the call: pending and later reads reject with `signal.reason`. */
  signal?: AbortSignal | undefined
  /** Called at most ten times a second, and once at the end. If it throws, the stream rejects with that. */
  onProgress?: ((progress: Progress) => void) | undefined
  /** How many texts the source has, when the caller knows: only for `onProgress` and to reserve memory. */
  total?: number | undefined
  /** Written before each text and counted in its tokens; wins over the model's `prompts`. `''` is none. */
  prompt?: string | undefined
}

const overflow: Check<'truncate' | 'error'> = (name, value) => {
  if (value === 'chunk') {
    throw new MillraceError(
      'INVALID_OPTION',
      "overflow: 'chunk' is not available yet; use 'truncate' or 'error'",
    )
  }
  return oneOf('truncate', 'error')(name, value)
}

/** Checks of the options that a model takes as defaults too. */
export const callDefaultChecks: Checks<CallDefaults> = {
  batchSize: positiveInteger,
  batching: oneOf('planned', 'fixed'),
  order: oneOf('input', 'completion'),
  overflow,
  errors: oneOf('throw', 'collect'),
  dtype: oneOf('float32', 'float16', 'int8', 'uint8', 'binary', 'ubinary'),
  dimensions: positiveInteger,
  priority: integer(-1_000_000, 1_000_000),
  timeoutMs: positiveNumber,
}

const signal: Check<AbortSignal> = (name, value) => {
  if (!isAbortSignal(value)) throw invalidOption(name, 'AbortSignal', value)
  return value
}

const onProgress: Check<(progress: Progress) => void> = (name, value) => {
  if (typeof value !== 'function') throw invalidOption(name, 'function', value)
  return value as (progress: Progress) => void
}

const embedChecks: Checks<EmbedOptions> = {
  ...callDefaultChecks,
  maxLength: positiveInteger,
  normalize: boolean,
  signal,
  onProgress,
  total: integer(0, Number.MAX_SAFE_INTEGER, 'integer from 0'),
  prompt: string,
}

/** How much more urgent a query is than bulk work: someone waits for it. */
export const QUERY_PRIORITY = 10

/** A checked call: what goes to the native job, and what TypeScript does itself. */
export interface Call {
  /** All but the prompt, which may depend on the loaded model. */
  job: NativeJobOptions
  /** As the caller gave it; absent when the model's `prompts` decide. */
  prompt?: string
  signal?: AbortSignal
  onProgress?: (progress: Progress) => void
  total?: number
  /** The caller chose what happens to long texts, so cutting them is no surprise. */
  overflowChosen: boolean
}

/** Checks the options of a call and fills in the defaults. */
export function parseCall(
  where: string,
  options: unknown,
  defaults: Checked<CallDefaults>,
  basePriority: number,
): Call {
  const own = parseOptions<EmbedOptions>(where, options, embedChecks)
  const { signal, onProgress, total, prompt, ...given } = { ...defaults, ...own }
  const job: NativeJobOptions = {
    batchSize: 256, // FastEmbed's
    batching: 'planned',
    order: 'input',
    overflow: 'truncate',
    errors: 'throw',
    dtype: 'float32',
    ...given,
    priority: own.priority ?? (defaults.priority ?? 0) + basePriority,
  }
  return {
    job,
    overflowChosen: given.overflow !== undefined,
    ...(prompt !== undefined && { prompt }),
    ...(signal !== undefined && { signal }),
    ...(onProgress !== undefined && { onProgress }),
    ...(total !== undefined && { total }),
  }
}
