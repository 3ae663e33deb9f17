/** What a run tells while it works and at its end: numbers made of its counters. The counters are kept in `tally.ts`. */

import type { DocumentCounts } from '../metrics/metrics.js'
import type { TieredCache } from '../options/cache.js'
import type { DocumentSource, NamedDocumentSource } from './document.js'
import type { PipelineProgress, PipelineReport } from './report.js'
import type { Tally } from './tally.js'

/** Ten times a second: smooth for an eye, nothing for a processor. */
const PROGRESS_MS = 100

/** What is told about. */
export interface ProgressContext {
  tally: Tally
  /** What is on its way. */
  waiting(): { chunks: number; documents: number }
  /** When the run began, as of `performance.now()`. */
  started: number
  cache: TieredCache | false | undefined
  /** Called with what the listener throws. */
  onError(error: unknown): void
}

/** Calls `listener` from time to time; the returned function ends that, with a last call unless `quiet`. */
export function tellProgress(
  listener: (progress: PipelineProgress) => void,
  total: number | undefined,
  context: ProgressContext,
): (quiet: boolean) => void {
  const before = cacheCounts(context.cache)
  const tell = () => {
    try {
      listener(progressOf(context, total, before))
    } catch (error) {
      context.onError(error)
    }
  }
  const timer = setInterval(tell, PROGRESS_MS).unref()
  return (quiet) => {
    clearInterval(timer)
    if (!quiet) tell()
  }
}

/** How many documents a source says that it has. */
export async function totalOf(source: DocumentSource): Promise<number | undefined> {
  if (Array.isArray(source)) return source.length
  return (source as Partial<NamedDocumentSource>).count?.()
}

/** What a run returns. */
export function reportOf(tally: Tally, started: number, pruneSkipped: boolean): PipelineReport {
  const { counts, droppedBy, errors, chunks, tokens, truncated, records, replaced, pruned } = tally
  const seconds = (performance.now() - started) / 1000
  return {
    ...counts,
    droppedBy,
    errors,
    chunks,
    tokens,
    truncated,
    records,
    replaced,
    pruned,
    pruneSkipped,
    seconds,
  }
}

function progressOf(
  { tally, waiting, started, cache }: ProgressContext,
  total: number | undefined,
  before: CacheCounts,
): PipelineProgress {
  const { counts, chunks, tokens, truncated, records } = tally
  const seconds = (performance.now() - started) / 1000
  const now = cacheCounts(cache)
  const looked = now.all - before.all
  const inside = waiting()
  return {
    ...counts,
    ...(total !== undefined && { total }),
    chunks,
    tokens,
    truncated,
    records,
    seconds,
    chunksPerSecond: chunks / Math.max(seconds, 1e-3),
    documentsPerSecond: settledOf(counts) / Math.max(seconds, 1e-3),
    waitingChunks: inside.chunks,
    waitingDocuments: inside.documents,
    ...(looked > 0 && { cacheShare: (now.hits - before.hits) / looked }),
  }
}

interface CacheCounts {
  hits: number
  all: number
}

function cacheCounts(cache: TieredCache | false | undefined): CacheCounts {
  if (cache === undefined || cache === false) return { hits: 0, all: 0 }
  const { hits, misses, shared } = cache.metrics()
  return { hits: hits + shared, all: hits + misses + shared }
}

/** Documents of which it is known what became of them. */
function settledOf({ written, unchanged, duplicates, dropped, failed }: DocumentCounts): number {
  return written + unchanged + duplicates + dropped + failed
}
