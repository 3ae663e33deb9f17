/** Options of cross encoders and of calls on them. */

import type { CallOptions, CommonDefaults, ErrorMode, TextCallOptions, TextDefaults } from './call.js'
import { callChecks, commonDefaultChecks, textCallChecks, textDefaultChecks } from './call.js'
import { type Checks, nonEmptyString, oneOf, positiveInteger } from './check.js'
import { type ModelOptions, modelChecks } from './model.js'

/** Options of a call on a cross encoder that it also takes as defaults for its calls. */
export interface RerankDefaults<E extends ErrorMode = ErrorMode> extends CommonDefaults<E>, TextDefaults {
  /** `none`: the model's logits, as FastEmbed gives them. `sigmoid`: squeezed into 0 to 1. @default 'none' */
  activation?: 'none' | 'sigmoid' | undefined
}

/** Options of one call on a cross encoder. */
export interface RerankOptions<E extends ErrorMode = ErrorMode>
  extends RerankDefaults<E>,
    CallOptions,
    TextCallOptions {}

/** Options of `rerank`. */
export interface RankOptions<E extends ErrorMode = ErrorMode> extends RerankOptions<E> {
  /** Give only so many documents, best first, instead of all scores. */
  topN?: number | undefined
}

/** What cross encoders add to a model's options. */
export interface RerankModelOptions extends ModelOptions {
  /** Longest pair in tokens, special tokens included. @default what the model's files say */
  maxLength?: number | undefined
  /** Output of the graph to take, by name. */
  outputName?: string | undefined
}

/** Options of `TextCrossEncoder.create`. Call options given here are defaults for the model's calls. */
export interface TextCrossEncoderOptions<E extends ErrorMode = ErrorMode>
  extends RerankModelOptions,
    RerankDefaults<E> {}

export const rerankDefaultChecks: Checks<RerankDefaults> = {
  ...commonDefaultChecks,
  ...textDefaultChecks,
  activation: oneOf('none', 'sigmoid'),
}

export const rerankChecks: Checks<RerankOptions> = {
  ...rerankDefaultChecks,
  ...callChecks,
  ...textCallChecks,
}

export const rankChecks: Checks<RankOptions> = {
  ...rerankChecks,
  topN: positiveInteger,
}

export const rerankModelChecks: Checks<RerankModelOptions> = {
  ...modelChecks,
  maxLength: positiveInteger,
  outputName: nonEmptyString,
}
