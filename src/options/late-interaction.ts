/** Options of late-interaction models, of texts and of texts and images, and of calls on them. */

import type { CallOptions, CommonDefaults, ErrorMode, TextCallOptions, TextDefaults } from './call.js'
import { callChecks, commonDefaultChecks, textCallChecks, textDefaultChecks } from './call.js'
import { boolean, type Checks, nonEmptyString, oneOf, positiveInteger } from './check.js'
import { type ImageCallDefaults, imageCallDefaultChecks } from './image.js'
import { type ModelOptions, modelChecks } from './model.js'

/** Options of a call on a late-interaction model that it also takes as defaults for its calls. */
export interface LateCallDefaults<E extends ErrorMode = ErrorMode> extends CommonDefaults<E>, TextDefaults {}

/** Options of one call on a late-interaction model. */
export interface LateEmbedOptions<E extends ErrorMode = ErrorMode>
  extends LateCallDefaults<E>,
    CallOptions,
    TextCallOptions {}

/** What late-interaction models add to a model's options. */
export interface LateModelOptions extends ModelOptions {
  /**
   * How texts are prepared and vectors chosen, where `modelPath` names a directory without a registered name.
   * @default 'colbert'
   */
  kind?: 'colbert' | 'jina-colbert' | 'late-on' | 'm-late-on' | 'tokens' | undefined
  /**
   * Longest text in tokens, special tokens included; LateOn and mLateOn add their marker to it, as FastEmbed does.
   * @default what the model's files say
   */
  maxLength?: number | undefined
  /** Output of the graph to take, by name. */
  outputName?: string | undefined
}

/** Options of `LateInteractionTextEmbedding.create`. Call options given here are defaults for the model's calls. */
export interface LateInteractionTextEmbeddingOptions<E extends ErrorMode = ErrorMode>
  extends LateModelOptions,
    LateCallDefaults<E> {}

/** Options of a call on a multimodal model that it also takes as defaults for its calls. */
export interface MultimodalCallDefaults<E extends ErrorMode = ErrorMode>
  extends LateCallDefaults<E>,
    ImageCallDefaults {
  /**
   * ColPali: give the vectors of padding too, as FastEmbed does. How many there are then depends on a run's other texts, so it
   * goes with `batching: 'fixed'`. @default false
   */
  keepPadding?: boolean | undefined
}

/** Options of one call of texts on a multimodal model. */
export interface MultimodalTextOptions<E extends ErrorMode = ErrorMode> extends LateEmbedOptions<E> {
  keepPadding?: boolean | undefined
}

/** Options of one call of images on a multimodal model. */
export interface MultimodalImageOptions<E extends ErrorMode = ErrorMode>
  extends CommonDefaults<E>,
    CallOptions,
    ImageCallDefaults {}

/** What multimodal models add to a model's options. */
export interface MultimodalModelOptions extends ModelOptions {
  /** Longest text in tokens, the model's own tokens included. @default what the model's files say */
  maxLength?: number | undefined
}

/** Options of `LateInteractionMultimodalEmbedding.create`. Call options given here are defaults for the model's calls. */
export interface LateInteractionMultimodalEmbeddingOptions<E extends ErrorMode = ErrorMode>
  extends MultimodalModelOptions,
    MultimodalCallDefaults<E> {}

export const lateDefaultChecks: Checks<LateCallDefaults> = { ...commonDefaultChecks, ...textDefaultChecks }

export const lateEmbedChecks: Checks<LateEmbedOptions> = {
  ...lateDefaultChecks,
  ...callChecks,
  ...textCallChecks,
}

export const lateModelChecks: Checks<LateModelOptions> = {
  ...modelChecks,
  kind: oneOf('colbert', 'jina-colbert', 'late-on', 'm-late-on', 'tokens'),
  maxLength: positiveInteger,
  outputName: nonEmptyString,
}

export const multimodalDefaultChecks: Checks<MultimodalCallDefaults> = {
  ...lateDefaultChecks,
  ...imageCallDefaultChecks,
  keepPadding: boolean,
}

export const multimodalTextChecks: Checks<MultimodalTextOptions> = {
  ...lateEmbedChecks,
  keepPadding: boolean,
}

export const multimodalImageChecks: Checks<MultimodalImageOptions> = {
  ...commonDefaultChecks,
  ...callChecks,
  ...imageCallDefaultChecks,
}

export const multimodalModelChecks: Checks<MultimodalModelOptions> = {
  ...modelChecks,
  maxLength: positiveInteger,
}
