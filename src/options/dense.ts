/** Options of dense vectors, which texts and images share, and those of dense text. */

import { DTYPES, type DType } from '../formats/dtype.js'
import type { CallOptions, CommonDefaults, ErrorMode, TextCallOptions, TextDefaults } from './call.js'
import { callChecks, commonDefaultChecks, textCallChecks } from './call.js'
import { boolean, type Checks, nonNegativeInteger, oneOf, positiveInteger, string } from './check.js'

/** What dense vectors add to the defaults of calls. */
export interface VectorDefaults<D extends DType = DType> {
  /** @default 'float32' */
  dtype?: D | undefined
  /** Cut vectors to this many dimensions and normalise again: for models trained for it (Matryoshka). */
  dimensions?: number | undefined
}

/** What dense vectors add to a call. */
export interface VectorCallOptions {
  /** Scale vectors to length 1. @default what the model's files say */
  normalize?: boolean | undefined
}

/** Options of a call on dense text that a model also takes as defaults for its calls. */
export interface CallDefaults<D extends DType = DType, E extends ErrorMode = ErrorMode>
  extends CommonDefaults<E>,
    Omit<TextDefaults, 'overflow'>,
    VectorDefaults<D> {
  /**
   * A text longer than the model's limit: cut it and flag it; or fail with INPUT_TOO_LONG; or embed it in chunks that fit, cut by
   * the model's own tokenizer, as the mean of the chunks' vectors weighted by their tokens (`embedChunks` gives each
   * chunk's). When nobody chooses, texts are cut and the first cut is said once a process (warning MILLRACE_TRUNCATED).
   * @default 'truncate'
   */
  overflow?: 'truncate' | 'error' | 'chunk' | undefined
  /**
   * Tokens, at the most, that a chunk has in common with the one before. @default 0; for `embedChunks` an eighth of the limit
   */
  chunkOverlap?: number | undefined
  /**
   * What texts are embedded for, by the model's own numbers: of `jinaai/jina-embeddings-v3`, 0 retrieval query, 1 retrieval
   * passage, 2 separation, 3 classification, 4 text matching. As a model's default it is the one of `embed`. Models without
   * tasks refuse it. @default 1, for `queryEmbed` 0
   */
  taskId?: number | undefined
}

/** Options of one call on dense text. */
export interface EmbedOptions<D extends DType = DType, E extends ErrorMode = ErrorMode>
  extends CallDefaults<D, E>,
    CallOptions,
    TextCallOptions,
    VectorCallOptions {
  /** Written before each text and counted in its tokens; wins over the model's `prompts`. `''` is none. */
  prompt?: string | undefined
}

export const vectorDefaultChecks: Checks<VectorDefaults> = {
  dtype: oneOf(...DTYPES),
  dimensions: positiveInteger,
}

export const vectorCallChecks: Checks<VectorCallOptions> = { normalize: boolean }

export const denseDefaultChecks: Checks<CallDefaults> = {
  ...commonDefaultChecks,
  ...vectorDefaultChecks,
  overflow: oneOf('truncate', 'error', 'chunk'),
  chunkOverlap: nonNegativeInteger,
  taskId: nonNegativeInteger,
}

export const embedChecks: Checks<EmbedOptions> = {
  ...denseDefaultChecks,
  ...callChecks,
  ...textCallChecks,
  ...vectorCallChecks,
  prompt: string,
}

/** Options of `embedChunks`: those of `embed` but what happens to long texts. */
export type ChunkOptions<D extends DType = DType, E extends ErrorMode = ErrorMode> = Omit<
  EmbedOptions<D, E>,
  'overflow'
>

const { overflow: _, ...chunkable } = embedChecks

export const chunkChecks: Checks<ChunkOptions> = chunkable
