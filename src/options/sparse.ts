/** Options of sparse models and of calls on them. */

import { invalidOption } from '../base/errors.js'
import type { NativeBm25Options } from '../binding/types.js'
import type { CallOptions, CommonDefaults, ErrorMode, TextCallOptions, TextDefaults } from './call.js'
import { callback, callChecks, commonDefaultChecks, textCallChecks, textDefaultChecks } from './call.js'
import type { Check, Checked, Checks } from './check.js'
import { boolean, nonEmptyString, oneOf, positiveInteger } from './check.js'
import { type ModelOptions, modelChecks } from './model.js'

/** Options of a call on a sparse model that it also takes as defaults for its calls. */
export interface SparseCallDefaults<E extends ErrorMode = ErrorMode>
  extends CommonDefaults<E>,
    TextDefaults {}

/** Options of one call on a sparse model. */
export interface SparseEmbedOptions<E extends ErrorMode = ErrorMode>
  extends SparseCallDefaults<E>,
    CallOptions,
    TextCallOptions {}

/** How BM25 reads and weighs words; `k`, `b` and `avgLen` are miniCOIL's too. The defaults are FastEmbed's. */
export interface Bm25Options {
  /** How late repetitions of a word stop to count, from 0 (at once) on. @default 1.2 */
  k?: number | undefined
  /** How much long documents are held back, from 0 (not at all) to 1. @default 0.75 */
  b?: number | undefined
  /** Words of an average document, after stop words are gone. @default 256; miniCOIL 150 */
  avgLen?: number | undefined
  /**
   * Language of the stemmer and the stop words. With `disableStemmer` or a `stemmer` any name will do.
   * @default 'english'
   */
  language?: string | undefined
  /** Words of more characters (code points) are dropped. @default 40 */
  tokenMaxLength?: number | undefined
  /** Take words as they are: no stemming, and no stop words unless given. @default false */
  disableStemmer?: boolean | undefined
  /** Stop words instead of the language's, in any letter case. */
  stopwords?: Iterable<string> | undefined
  /**
   * A stemmer instead of the language's: it gets a word in lower case and returns its stem, `''` to drop it. It is called on
   * the event loop, once for each word that is seen the first time.
   */
  stemmer?: ((word: string) => string) | undefined
}

/** What sparse models add to a model's options. */
export interface SparseModelOptions extends ModelOptions, Bm25Options {
  /** What the model is, where `modelPath` names a directory without a registered name. @default 'splade' */
  kind?: 'bm25' | 'splade' | 'if-splade' | 'bm42' | 'minicoil' | undefined
  /** Longest text in tokens, special tokens included; not for BM25. @default what the model's files say */
  maxLength?: number | undefined
  /** Output of the graph to take, by name. */
  outputName?: string | undefined
  /** BM42's exponent: how much the attention counts against the mere presence of a word, from 0 on. @default 0.5 */
  alpha?: number | undefined
}

/** Options of `SparseTextEmbedding.create`. Call options given here are defaults for the model's calls. */
export interface SparseTextEmbeddingOptions<E extends ErrorMode = ErrorMode>
  extends SparseModelOptions,
    SparseCallDefaults<E> {}

/** What a number means is checked natively; here only that it is one. */
const finite: Check<number> = (name, value) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalidOption(name, 'finite number', value)
  return value
}

const words: Check<Iterable<string>> = (name, value) => {
  const given =
    typeof value === 'object' && value !== null && Symbol.iterator in value
      ? [...(value as Iterable<unknown>)]
      : undefined
  if (given?.every((word) => typeof word === 'string') !== true)
    throw invalidOption(name, 'iterable of strings', value)
  return given as string[]
}

export const sparseDefaultChecks: Checks<SparseCallDefaults> = {
  ...commonDefaultChecks,
  ...textDefaultChecks,
}

export const sparseEmbedChecks: Checks<SparseEmbedOptions> = {
  ...sparseDefaultChecks,
  ...callChecks,
  ...textCallChecks,
}

const bm25Checks: Checks<Bm25Options> = {
  k: finite,
  b: finite,
  avgLen: finite,
  language: nonEmptyString,
  tokenMaxLength: positiveInteger,
  disableStemmer: boolean,
  stopwords: words,
  stemmer: callback,
}

export const sparseModelChecks: Checks<SparseModelOptions> = {
  ...modelChecks,
  ...bm25Checks,
  kind: oneOf('bm25', 'splade', 'if-splade', 'bm42', 'minicoil'),
  maxLength: positiveInteger,
  outputName: nonEmptyString,
  alpha: finite,
}

/** The options of BM25, and the others. */
export function splitBm25<O extends Checked<Bm25Options>>(
  options: O,
): { bm25: Checked<Bm25Options>; rest: Omit<O, keyof Bm25Options> } {
  const entries = Object.entries(options)
  const isBm25 = ([name]: [string, unknown]) => Object.hasOwn(bm25Checks, name)
  return {
    bm25: Object.fromEntries(entries.filter(isBm25)),
    rest: Object.fromEntries(entries.filter((entry) => !isBm25(entry))) as Omit<O, keyof Bm25Options>,
  }
}

/** BM25's options as the addon takes them, where any was given. */
export function nativeBm25({ stemmer, stopwords, ...given }: Checked<Bm25Options>): {
  bm25?: NativeBm25Options
} {
  const bm25: NativeBm25Options = {
    ...given,
    ...(stopwords !== undefined && { stopwords: [...stopwords] }),
    ...(stemmer !== undefined && { ownStems: true }),
  }
  return Object.keys(bm25).length > 0 ? { bm25 } : {}
}
