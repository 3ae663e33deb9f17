/** What a pipeline says of itself: how far a run is, how it ended, and counters. Nothing is decided here. */

import type { ErrorCode } from '../base/errors.js'
import type { DocumentCounts, DropReason } from '../metrics/metrics.js'

/** How far a run is. */
export interface PipelineProgress extends DocumentCounts {
  /** Documents in all, when it is known. */
  total?: number
  /** Chunks embedded. */
  chunks: number
  /** Their tokens. */
  tokens: number
  /** Chunks that were cut off at the model's limit: documents taken whole. */
  truncated: number
  /** Records that the sink has made last. */
  records: number
  /** Since the run began. */
  seconds: number
  /** Chunks a second since the run began. */
  chunksPerSecond: number
  /** Documents a second since the run began, unchanged ones included. */
  documentsPerSecond: number
  /** Chunks that are on their way through the models or wait for the sink. */
  waitingChunks: number
  /** Documents likewise. */
  waitingDocuments: number
  /** Share of chunks whose vectors came from the cache, where there is one. */
  cacheShare?: number
}

/** How a run ended. */
export interface PipelineReport extends DocumentCounts {
  /** Documents that were left out, by reason; together `dropped`. */
  droppedBy: Partial<Record<DropReason, number>>
  /** Documents that failed in this run, by code; together `failed` less those that failed in an earlier run and were not tried again. */
  errors: Partial<Record<ErrorCode, number>>
  chunks: number
  tokens: number
  truncated: number
  records: number
  /** Documents whose records were replaced, of those written. */
  replaced: number
  /** Documents removed because the source no longer has them (`prune`). */
  pruned: number
  /** Whether `prune` removed nothing because the source could not read everything: what it could not see may still be there. */
  pruneSkipped: boolean
  /** From the first read to the last commit. */
  seconds: number
}
