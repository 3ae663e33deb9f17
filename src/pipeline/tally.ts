/** Counters of a pipeline: kept by the stages, read by progress, reports and metrics. */

import type { ErrorCode } from '../base/errors.js'
import type { DocumentCounts, DropReason, StageTimes } from '../metrics/metrics.js'

/** Counters of one run, or of all. */
export class Tally {
  readonly counts: DocumentCounts = {
    read: 0,
    written: 0,
    unchanged: 0,
    duplicates: 0,
    dropped: 0,
    failed: 0,
  }
  readonly times: StageTimes = { sourceMs: 0, prepareMs: 0, chunkMs: 0, embedMs: 0, sinkMs: 0 }
  readonly errors: Partial<Record<ErrorCode, number>> = {}
  readonly droppedBy: Partial<Record<DropReason, number>> = {}
  chunks = 0
  tokens = 0
  truncated = 0
  records = 0
  commits = 0
  replaced = 0
  pruned = 0
  /** Places where the source told an error instead of a document, or gave something that cannot be told apart. */
  unread = 0

  countError(code: ErrorCode): void {
    this.errors[code] = (this.errors[code] ?? 0) + 1
  }

  countDropped(why: DropReason): void {
    this.counts.dropped++
    this.droppedBy[why] = (this.droppedBy[why] ?? 0) + 1
  }

  /** Adds the counters of a run that has ended. */
  add(other: Tally): void {
    for (const key of Object.keys(this.counts) as (keyof DocumentCounts)[])
      this.counts[key] += other.counts[key]
    for (const key of Object.keys(this.times) as (keyof StageTimes)[]) this.times[key] += other.times[key]
    for (const [code, count] of Object.entries(other.errors) as [ErrorCode, number][]) {
      this.errors[code] = (this.errors[code] ?? 0) + count
    }
    for (const [why, count] of Object.entries(other.droppedBy) as [DropReason, number][]) {
      this.droppedBy[why] = (this.droppedBy[why] ?? 0) + count
    }
    this.chunks += other.chunks
    this.tokens += other.tokens
    this.truncated += other.truncated
    this.records += other.records
    this.commits += other.commits
    this.replaced += other.replaced
    this.pruned += other.pruned
    this.unread += other.unread
  }
}
