/** Options of dense text models. */

import { invalidOption } from '../base/errors.js'
import { isRecord } from '../base/is.js'
import type { DType } from '../formats/dtype.js'
import type { ErrorMode } from './call.js'
import type { Check, Checks } from './check.js'
import { boolean, nonEmptyString, oneOf, parseOptions, positiveInteger, string } from './check.js'
import type { CallDefaults } from './dense.js'
import { type ModelOptions, modelChecks } from './model.js'

/** How a text's token vectors become one vector. `none`: the graph's output already is one per text. */
export type Pooling = 'cls' | 'mean' | 'last' | 'max' | 'none'

/** Prompts by role, written before each text. A role that is left out has none. */
export interface Prompts {
  /** Of `queryEmbed`. */
  query?: string | undefined
  /** Of `passageEmbed`. */
  passage?: string | undefined
}

/** What dense text adds to a model's options. */
export interface TextModelOptions extends ModelOptions {
  /** Longest text in tokens, special tokens included. @default what the model's files say */
  maxLength?: number | undefined
  /** @default what the model's files say, else `mean` */
  pooling?: Pooling | undefined
  /** Scale vectors to length 1. @default what the model's files say */
  normalize?: boolean | undefined
  /** Output of the graph to take, by name. */
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

export const pooling: Check<Pooling> = oneOf('cls', 'mean', 'last', 'max', 'none')

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
