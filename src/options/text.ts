/** Options of dense text models. */

import { invalidOption } from '../base/errors.js'
import { isRecord } from '../base/is.js'
import type { DType } from '../formats/dtype.js'
import type { ErrorMode } from './call.js'
import type { Check, Checks } from './check.js'
import { boolean, nonEmptyString, oneOf, parseOptions, positiveInteger, string } from './check.js'
import type { CallDefaults } from './dense.js'
import { type ModelOptions, modelChecks } from './model.js'

/**
 * How a text's token vectors become one vector: the first token's, the mean, the last token's, the maximum of each dimension, the sum divided by
 * the square root of the number of tokens, the mean weighted by position. `none`: the graph's output already is one per text.
 */
export type Pooling = 'cls' | 'mean' | 'last' | 'max' | 'mean-sqrt-len' | 'weighted-mean' | 'none'

/** Prompts by role, written before each text. A role that is left out has none. */
export interface Prompts {
  /** Of `queryEmbed`. */
  query?: string | undefined
  /** Of `passageEmbed`. */
  passage?: string | undefined
}

/** What dense text adds to a model's options. */
export interface TextModelOptions extends ModelOptions {
  /**
   * Longest text in tokens, special tokens included. @default what the model's files say, and never more than its table of positions has
   * room for; `info().maxLengthSource` tells which
   */
  maxLength?: number | undefined
  /**
   * @default what the model's definition or its files (`modules.json`) say. Where nobody says it and the graph gives a vector for each token, loading
   * fails with INVALID_OPTION: another pooling than the model was trained with gives vectors that look right and are not.
   * `info().poolingSource` tells who said it
   */
  pooling?: Pooling | undefined
  /** Scale vectors to length 1. @default what the model's files say, else true; `info().normalizeSource` tells which */
  normalize?: boolean | undefined
  /**
   * Output of the graph to take, by name. @default `sentence_embedding` where the graph has it and no `pooling` is asked for, else the first;
   * `info().outputSource` tells which
   */
  outputName?: string | undefined
  /**
   * Text written before each input. `none`: nothing, as FastEmbed does. `auto`: the model's own, as
   * `listSupportedModels()` shows them for `queryEmbed` and `passageEmbed`; where it shows none, and for `embed` (its default
   * prompt), those of the directory's sentence-transformers configuration. Or the prompts themselves, for
   * `queryEmbed` and `passageEmbed`. @default 'none'
   */
  prompts?: 'none' | 'auto' | Prompts | undefined
}

/** Options of `TextEmbedding.create`. Call options given here are defaults for the model's calls. */
export interface TextEmbeddingOptions<D extends DType = DType, E extends ErrorMode = ErrorMode>
  extends TextModelOptions,
    CallDefaults<D, E> {}

export const pooling: Check<Pooling> = oneOf(
  'cls',
  'mean',
  'last',
  'max',
  'mean-sqrt-len',
  'weighted-mean',
  'none',
)

export const rolePrompts: Check<Prompts> = (name, value) => {
  if (!isRecord(value)) throw invalidOption(name, '{ query?, passage? }', value)
  return parseOptions<Prompts>(name, value, { query: string, passage: string })
}

const prompts: Check<'none' | 'auto' | Prompts> = (name, value) => {
  if (isRecord(value)) return rolePrompts(name, value)
  if (value === 'none' || value === 'auto') return value
  throw invalidOption(name, "'none', 'auto' or { query?, passage? }", value)
}

export const textModelChecks: Checks<TextModelOptions> = {
  ...modelChecks,
  maxLength: positiveInteger,
  pooling,
  normalize: boolean,
  outputName: nonEmptyString,
  prompts,
}
