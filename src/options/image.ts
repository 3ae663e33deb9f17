/** Options of image models and of calls on images. */

import type { DType } from '../formats/dtype.js'
import type { CallOptions, CommonDefaults, ErrorMode } from './call.js'
import { callChecks, commonDefaultChecks } from './call.js'
import { boolean, type Checks, integer, nonEmptyString, oneOf } from './check.js'
import type { VectorCallOptions, VectorDefaults } from './dense.js'
import { vectorCallChecks, vectorDefaultChecks } from './dense.js'
import { type ModelOptions, modelChecks } from './model.js'

/** Most bytes of a file where nobody says another number: the pixels of the limit as RGB. The core has the same. */
export const MAX_IMAGE_BYTES = 268_435_455

/** What images add to the defaults of calls. */
export interface ImageCallDefaults {
  /** Turn an image as its EXIF orientation says. FastEmbed ignores it, except that TIFFs are always turned. @default false */
  autoOrient?: boolean | undefined
  /** Most bytes of a file; a larger one is IMAGE_INVALID. @default 268,435,455, the pixels of the limit as RGB */
  maxImageBytes?: number | undefined
  /** Most pixels of an image, looked at before it is decoded; a larger one is IMAGE_INVALID. @default 89,478,485, Pillow's */
  maxImagePixels?: number | undefined
}

/** Options of a call on an image model that it also takes as defaults for its calls. */
export interface ImageDefaults<D extends DType = DType, E extends ErrorMode = ErrorMode>
  extends CommonDefaults<E>,
    VectorDefaults<D>,
    ImageCallDefaults {}

/** Options of one call on an image model. */
export interface ImageEmbedOptions<D extends DType = DType, E extends ErrorMode = ErrorMode>
  extends ImageDefaults<D, E>,
    CallOptions,
    VectorCallOptions {}

/** What image models add to a model's options. */
export interface ImageModelOptions extends ModelOptions {
  /** How the vector is taken from the output: its first token, or all of it. @default what the graph's shape says */
  pooling?: 'cls' | 'none' | undefined
  /** Scale vectors to length 1. @default true */
  normalize?: boolean | undefined
  /** Output of the graph to take, by name. */
  outputName?: string | undefined
}

/** Options of `ImageEmbedding.create`. Call options given here are defaults for the model's calls. */
export interface ImageEmbeddingOptions<D extends DType = DType, E extends ErrorMode = ErrorMode>
  extends ImageModelOptions,
    ImageDefaults<D, E> {}

const bound = integer(1, Number.MAX_SAFE_INTEGER, 'positive integer')

export const imageCallDefaultChecks: Checks<ImageCallDefaults> = {
  autoOrient: boolean,
  maxImageBytes: bound,
  maxImagePixels: bound,
}

export const imageDefaultChecks: Checks<ImageDefaults> = {
  ...commonDefaultChecks,
  ...vectorDefaultChecks,
  ...imageCallDefaultChecks,
}

export const imageEmbedChecks: Checks<ImageEmbedOptions> = {
  ...imageDefaultChecks,
  ...callChecks,
  ...vectorCallChecks,
}

export const imageModelChecks: Checks<ImageModelOptions> = {
  ...modelChecks,
  pooling: oneOf('cls', 'none'),
  normalize: boolean,
  outputName: nonEmptyString,
}
