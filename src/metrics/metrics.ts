/** The counters that models and pipelines give. They are only declared here; whoever counts fills them in. */

import type { ErrorCode } from '../base/errors.js'
import type { NativeMetrics } from '../binding/types.js'
import type { CacheMetrics } from '../options/cache.js'

/** Counters since the model was loaded. */
export interface ModelMetrics extends NativeMetrics {
  /** Those of the cache that was given to `create`, whoever else uses it. */
  cache?: CacheMetrics
}

/** Why a document was left out; `empty`: there was nothing to embed. */
export type DropReason = 'too-short' | 'too-long' | 'language' | 'empty'

/** What became of documents. Together they are the documents that were read. */
export interface DocumentCounts {
  /** Read from the source. */
  read: number
  /** Written, changed ones included. */
  written: number
  /** In the store already, and not changed since. */
  unchanged: number
  /** Left out because they repeat others. */
  duplicates: number
  /** Left out because they are too short, too long, in another language, or have nothing to embed. */
  dropped: number
  /** Could not be embedded. */
  failed: number
}

/** Milliseconds that a pipeline's stages took so far, one after the other or side by side. */
export interface StageTimes {
  /** Waiting for the source. */
  sourceMs: number
  /** Cleaning, duplicates, names of contents. */
  prepareMs: number
  chunkMs: number
  /** Waiting for the models. */
  embedMs: number
  /** The sink and the journal. */
  sinkMs: number
}

/** Counters of a pipeline since it was made, over all runs. */
export interface PipelineMetrics extends DocumentCounts, StageTimes {
  runs: number
  chunks: number
  tokens: number
  truncated: number
  records: number
  /** Batches that the sink has made last. */
  commits: number
  /** Chunks that are on their way through the models or wait for the sink. */
  waitingChunks: number
  /** Documents likewise. */
  waitingDocuments: number
  /** Documents that were left out, by reason. */
  droppedBy: Partial<Record<DropReason, number>>
  /** Documents that failed, by code. */
  errors: Partial<Record<ErrorCode, number>>
  dense?: ModelMetrics
  sparse?: ModelMetrics
}
