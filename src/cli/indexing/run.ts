/** Carries out `millrace index`: makes source, pipeline and sink of the flags, runs, reports. */

import {
  type CleanOptions,
  EmbeddingPipeline,
  type EmbeddingPipelineOptions,
  jsonlDeadLetters,
  type PipelineReport,
  type Sink,
  type TieredCache,
} from '../../../index.js'
import { downloadView } from '../download-view.js'
import { EXIT, Interrupted, usageError } from '../exit.js'
import { commonOptions, denseModelOptions, pick } from '../model-options.js'
import { inFlags, journalOf, shownStore, sinkOf } from '../stores.js'
import { clock, count, percent, print, say } from '../terminal.js'
import { openCache } from './cache.js'
import type { IndexFlags } from './flags.js'
import { openInputs } from './inputs.js'
import { indexView } from './view.js'

/** Runs the pipeline. Returns the exit code. */
export async function runIndex(flags: IndexFlags, signal: AbortSignal): Promise<number> {
  if (flags.to === undefined) throw usageError('Expected --to STORE')
  const source = await openInputs(flags)
  const cached = await openCache(flags)
  const quiet = flags.quiet === true || flags.json === true
  try {
    const pipeline = await EmbeddingPipeline.create(await optionsOf(flags, cached?.cache, signal))
    const view = indexView(quiet)
    try {
      const before = cached?.cache.metrics()
      const report = await pipeline.run(source, {
        signal,
        onProgress: (progress) => view.update(progress, pipeline.metrics()),
        ...pick(flags, ['retryFailed']),
        ...(flags.pruneAll === true ? { prune: 'all' } : pick(flags, ['prune'])),
      })
      view.stop()
      const after = cached?.cache.metrics()
      const looked = (after?.hits ?? 0) + (after?.misses ?? 0) - (before?.hits ?? 0) - (before?.misses ?? 0)
      const cacheShare = looked > 0 ? ((after?.hits ?? 0) - (before?.hits ?? 0)) / looked : undefined
      if (flags.json === true) {
        await print(
          `${JSON.stringify({ to: shownStore(flags.to), ...report, ...(cacheShare !== undefined && { cacheShare }) })}\n`,
        )
      } else if (flags.quiet !== true) {
        for (const line of linesOf(report, shownStore(flags.to), cacheShare)) say(line)
      }
      return report.failed > 0 ? EXIT.rowsFailed : EXIT.ok
    } catch (error) {
      view.stop()
      if (error instanceof Interrupted && !quiet) {
        const { written } = pipeline.metrics()
        const again =
          flags.journal === false
            ? 'without a journal, the next run begins anew'
            : 'the same command goes on from here'
        say(`millrace: interrupted after ${count(written)} documents; ${again}`)
      }
      throw inFlags(error)
    } finally {
      view.stop()
      await pipeline.close()
    }
  } finally {
    await cached?.end()
  }
}

async function optionsOf(
  flags: IndexFlags,
  cache: TieredCache | undefined,
  signal: AbortSignal,
): Promise<EmbeddingPipelineOptions> {
  const { sparse, chunk, clean, minLength, languages, deadLetters } = flags
  const view = downloadView(flags.quiet === true || flags.json === true)
  const loading = { signal, onDownload: view.update }
  const overwrite = flags.overwrite === true
  const kept: CleanOptions & object = {
    ...(minLength !== undefined && { minLength }),
    ...(languages !== undefined && { languages }),
  }
  if (!clean && Object.keys(kept).length > 0)
    throw usageError('Expected no --min-length and --languages with --no-clean')
  if (flags.prompt !== undefined && !flags.dense) throw usageError('Expected no --prompt with --no-dense')
  const sink = sinkOf(flags.to ?? '', overwrite)
  checkPrune(flags, sink)
  return {
    sink,
    dense: flags.dense
      ? {
          ...commonOptions(flags),
          ...denseModelOptions(flags, 'passage'),
          ...(flags.prompt !== undefined && { prompts: { passage: flags.prompt } }),
          ...loading,
        }
      : false,
    ...(sparse !== undefined &&
      sparse !== false && {
        sparse: {
          ...pick(flags, ['cacheDir']),
          ...(flags.offline === true && { localFilesOnly: true }),
          ...(typeof sparse === 'string' && { model: sparse }),
          ...loading,
        },
      }),
    prepare: clean ? kept : false,
    chunk: chunk
      ? {
          ...pick(flags, ['by', 'overlap']),
          ...(flags.chunkTokens !== undefined && { maxTokens: flags.chunkTokens }),
        }
      : false,
    ...pick(flags, ['duplicates', 'dtype', 'dimensions', 'batchRecords']),
    ...(cache !== undefined && { cache }),
    ...(deadLetters !== undefined && { deadLetters: jsonlDeadLetters(deadLetters, { overwrite }) }),
    ...journalFor(flags, sink),
  }
}

/** Refused before a model is loaded, and in the words of the command line. */
function checkPrune({ prune, pruneAll, journal, to = '' }: IndexFlags, sink: Sink): void {
  if (prune !== true && pruneAll !== true) return
  if (journal === false)
    throw usageError('Expected no --prune with --no-journal, which knows of no documents')
  if (sink.remove !== undefined) return
  throw usageError(`Expected no --prune with ${shownStore(to)}, to which documents can only be added`)
}

/** The journal of a store that is on a server lies in the working directory, and is told: the same command elsewhere would not find it. */
function journalFor({ journal, to = '', quiet, json }: IndexFlags, sink: Sink): { journal?: string | false } {
  if (journal === false || typeof journal === 'string') return { journal }
  if (sink.journalPath !== undefined) return {}
  const path = journalOf(to)
  if (quiet !== true && json !== true) say(`millrace: the journal of ${shownStore(to)} is ${path}`)
  return { journal: path }
}

function linesOf(report: PipelineReport, to: string, cacheShare: number | undefined): string[] {
  const {
    written,
    unchanged,
    duplicates,
    dropped,
    failed,
    replaced,
    pruned,
    records,
    chunks,
    seconds,
    truncated,
    pruneSkipped,
  } = report
  const parts = [
    `${count(written)} documents written${replaced > 0 ? ` (${count(replaced)} replaced)` : ''} as ${count(records)} records`,
    ...(unchanged > 0 ? [`${count(unchanged)} unchanged`] : []),
    ...(duplicates > 0 ? [`${count(duplicates)} duplicates`] : []),
    ...(dropped > 0 ? [`${count(dropped)} left out`] : []),
    ...(pruned > 0 ? [`${count(pruned)} removed`] : []),
    ...(failed > 0 ? [`${count(failed)} failed`] : []),
  ]
  const rate = `${count(chunks / Math.max(seconds, 1e-3))} chunks/s`
  const cache = cacheShare === undefined ? '' : `, ${percent(cacheShare)} from the cache`
  return [
    `${to}: ${parts.join(', ')}`,
    `${count(chunks)} chunks in ${clock(seconds)} (${rate}${cache})`,
    ...(pruneSkipped
      ? [
          'Nothing was removed, because not everything could be read: what could not be seen may still be there.',
        ]
      : []),
    ...(truncated > 0
      ? [`${count(truncated)} texts were cut off at the model's limit (see --no-chunk)`]
      : []),
  ]
}
