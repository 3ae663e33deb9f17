/** Options of a pipeline and of a run, checked. What they do is in the neighbouring files. */

import { invalidOption } from '../base/errors.js'
import { isRecord } from '../base/is.js'
import type { SparseTextEmbedding } from '../families/sparse-text-embedding.js'
import type { TextEmbedding } from '../families/text-embedding.js'
import type { DType } from '../formats/dtype.js'
import type { TieredCache } from '../options/cache.js'
import { callback, signal as checkSignal, commonDefaultChecks } from '../options/call.js'
import type { Check, Checked, Checks } from '../options/check.js'
import {
  boolean,
  integer,
  nonEmptyString,
  nonNegativeInteger,
  oneOf,
  parseOptions,
  positiveInteger,
} from '../options/check.js'
import { vectorDefaultChecks } from '../options/dense.js'
import { type CleanOptions, cleanChecks, languages, parsePrepareOptions } from '../options/prepare.js'
import type { SparseTextEmbeddingOptions } from '../options/sparse.js'
import type { TextEmbeddingOptions } from '../options/text.js'
import { checkRangesFormat, quantizeChecks } from '../quantize/quantize.js'
import type { QuantizationRanges } from '../quantize/ranges.js'
import type { PipelineProgress } from './report.js'
import type { DeadLetterSink, Sink } from './sink.js'

/** How documents are made ready: what of a text is cleaned, and which are kept. */
export interface PipelinePrepareOptions extends Omit<CleanOptions, 'format'> {
  /** Least length of a cleaned text, in UTF-16 code units as `string.length`. @default 1 */
  minLength?: number | undefined
  /** Greatest length of a cleaned text, in UTF-16 code units. @default no bound */
  maxLength?: number | undefined
  /** Codes of ISO 639-3 (`eng`): documents reliably in another language are left out. @default all are kept */
  languages?: readonly string[] | undefined
}

/** How documents are cut. */
export interface PipelineChunkOptions {
  /** `auto`: Markdown by its structure, other texts between sentences. Else as `by` of `TextChunker.create`. @default 'auto' */
  by?: 'auto' | 'sentence' | 'markdown' | 'tokens' | undefined
  /** Most tokens of a chunk, special tokens and the passage prompt included. @default the dense model's limit */
  maxTokens?: number | undefined
  /** Most tokens that a chunk begins with of the one before it. @default 0 */
  overlap?: number | undefined
}

/** Which documents repeat others. */
export interface PipelineDuplicateOptions {
  /** Least similarity of near duplicates, as of `markDuplicates`; `false` looks for equal texts only. @default 0.8 */
  near?: number | false | undefined
}

/** Options of `EmbeddingPipeline.create`. */
export interface EmbeddingPipelineOptions {
  /** Where records go. */
  sink: Sink
  /**
   * The model of dense vectors: one that is there, which the pipeline does not close, or options to load one; `false` for none.
   * @default the bundled all-MiniLM-L6-v2, or none with `sparse`
   */
  dense?: TextEmbedding<DType, 'throw' | 'collect'> | TextEmbeddingOptions | false | undefined
  /** The model of sparse vectors, likewise. @default none */
  sparse?: SparseTextEmbedding<'throw' | 'collect'> | SparseTextEmbeddingOptions | undefined
  /** How documents are cleaned; `false` takes them as they are. Markdown keeps its markup where it is cut by its structure. */
  prepare?: PipelinePrepareOptions | false | undefined
  /** How documents are cut; `false` embeds each as a whole, cut off at the model's limit. */
  chunk?: PipelineChunkOptions | false | undefined
  /**
   * Whether documents whose prepared text repeats an earlier one's are left out: `exact`, `near` (three words in a row alike in most
   * places), or options. Costs some 100 bytes a document, for near ones more. @default false
   */
  duplicates?: 'exact' | 'near' | PipelineDuplicateOptions | false | undefined
  /** Format of the dense vectors. @default the model's default, `float32` */
  dtype?: DType | undefined
  /** Cut dense vectors to this many dimensions and normalise again. @default all */
  dimensions?: number | undefined
  /** int8 and uint8: levels of these ranges instead of a scale a vector. */
  ranges?: QuantizationRanges | undefined
  /** Where vectors are kept, so that equal chunks are embedded once. @default the models' own */
  cache?: TieredCache | false | undefined
  /** Where documents that cannot be embedded are told; without it, the first one ends the run. */
  deadLetters?: DeadLetterSink | undefined
  /** File that makes runs resumable and the next ones incremental; `false` for none. @default beside the sink's output, where that is a file */
  journal?: string | false | undefined
  /** Order of records in the store: of the source, or as documents are completed. @default 'input' */
  order?: 'input' | 'completion' | undefined
  /** Most documents on their way, from the source to the store. @default as many as have room: three batches, or 24 MiB */
  concurrency?: number | undefined
  /** Records that are written together: the sink's batch, and what is done again after a crash. @default 1024 */
  batchRecords?: number | undefined
  /** Longest time in milliseconds that finished records wait for a whole batch. @default 2000 */
  flushMs?: number | undefined
}

/** Options of one run. */
export interface PipelineRunOptions {
  /** Aborts the run: it rejects with `signal.reason`, and another run goes on where it was. */
  signal?: AbortSignal | undefined
  /** Called at most ten times a second, and once at the end. If it throws, the run rejects with that. */
  onProgress?: ((progress: PipelineProgress) => void) | undefined
  /** How many documents the source has, for `onProgress`. @default what the source says */
  total?: number | undefined
  /**
   * Remove documents from the store that are no longer in the source. Needs a journal and a sink that can remove. Nothing is removed
   * in a run whose source could not read something (`report.pruneSkipped`); and a run that would remove every document which the store had
   * before, as when a disk is not mounted, rejects with INPUT_INVALID unless told `'all'`. @default false
   */
  prune?: boolean | 'all' | undefined
  /** Try documents again that failed in an earlier run and have not changed. @default false */
  retryFailed?: boolean | undefined
}

const DEFAULT_BATCH_RECORDS = 1024
const DEFAULT_FLUSH_MS = 2000

const sink: Check<Sink> = (name, value) => {
  const isSink =
    isRecord(value) && ['open', 'write', 'commit', 'close'].every((key) => typeof value[key] === 'function')
  if (!isSink) throw invalidOption(name, 'sink', value)
  return value as unknown as Sink
}

const model =
  <T>(method: string): Check<T> =>
  (name, value) => {
    if (!isRecord(value) && value !== false)
      throw invalidOption(name, `model with ${method}, or options of one`, value)
    return value as T
  }

const recordOr =
  <T>(...words: readonly unknown[]): Check<T> =>
  (name, value) => {
    if (!isRecord(value) && !words.includes(value)) {
      throw invalidOption(
        name,
        `object${words.map((word) => ` or ${typeof word === 'string' ? `'${word}'` : word}`).join('')}`,
        value,
      )
    }
    return value as T
  }

const pipelineChecks: Checks<EmbeddingPipelineOptions> = {
  sink,
  dense: model('passageEmbed'),
  sparse: model('passageEmbed'),
  prepare: recordOr<PipelinePrepareOptions | false>(false),
  chunk: recordOr<PipelineChunkOptions | false>(false),
  duplicates: recordOr<Exclude<EmbeddingPipelineOptions['duplicates'], undefined>>('exact', 'near', false),
  dtype: vectorDefaultChecks.dtype,
  dimensions: vectorDefaultChecks.dimensions,
  ranges: quantizeChecks.ranges,
  cache: commonDefaultChecks.cache,
  deadLetters: sink as unknown as Check<DeadLetterSink>,
  journal: (name, value) => (value === false ? value : nonEmptyString(name, value)),
  order: oneOf('input', 'completion'),
  concurrency: positiveInteger,
  batchRecords: positiveInteger,
  flushMs: nonNegativeInteger,
}

/** The format of a document is its source's to say. */
const { format: _, ...withoutFormat } = cleanChecks

const prepareChecks: Checks<PipelinePrepareOptions> = {
  ...withoutFormat,
  minLength: nonNegativeInteger,
  maxLength: nonNegativeInteger,
  languages,
}

const chunkChecks: Checks<PipelineChunkOptions> = {
  by: oneOf('auto', 'sentence', 'markdown', 'tokens'),
  maxTokens: positiveInteger,
  overlap: nonNegativeInteger,
}

const runChecks: Checks<PipelineRunOptions> = {
  signal: checkSignal,
  onProgress: callback,
  total: integer(0, Number.MAX_SAFE_INTEGER, 'integer from 0'),
  prune(name, value) {
    if (typeof value !== 'boolean' && value !== 'all') throw invalidOption(name, "boolean or 'all'", value)
    return value
  },
  retryFailed: boolean,
}

/** Checked options, defaults filled in. */
export interface PipelinePlan {
  sink: Sink
  dense: Exclude<EmbeddingPipelineOptions['dense'], undefined>
  sparse: EmbeddingPipelineOptions['sparse']
  prepare: Checked<PipelinePrepareOptions> | false
  chunk: (Checked<PipelineChunkOptions> & { by: 'auto' | 'sentence' | 'markdown' | 'tokens' }) | false
  /** Least similarity of a duplicate; 1 looks for equal texts only. */
  duplicates: { near: number | false } | false
  dtype: DType | undefined
  dimensions: number | undefined
  ranges: QuantizationRanges | undefined
  cache: TieredCache | false | undefined
  deadLetters: DeadLetterSink | undefined
  journal: string | false
  order: 'input' | 'completion'
  concurrency: number
  batchRecords: number
  flushMs: number
}

/** Checks the options of `EmbeddingPipeline.create`. */
export function parsePipeline(options: unknown): PipelinePlan {
  const where = 'EmbeddingPipeline.create'
  const given = parseOptions<EmbeddingPipelineOptions>(where, options, pipelineChecks)
  if (given.sink === undefined) throw invalidOption('sink', 'sink', given.sink)
  const { dtype } = given
  checkRangesFormat(dtype, given.ranges)
  const dense = given.dense ?? (given.sparse === undefined ? {} : false)
  if (dense === false && given.sparse === undefined)
    throw invalidOption('dense', 'a model where sparse is none', false)
  const { deadLetters, dimensions, ranges, cache } = given
  return {
    sink: given.sink,
    dense,
    sparse: given.sparse,
    prepare: parsePrepare(where, given.prepare),
    chunk: parseChunk(where, given.chunk),
    duplicates: parseDuplicates(where, given.duplicates),
    dtype,
    dimensions,
    ranges,
    cache,
    deadLetters,
    journal: given.journal ?? given.sink.journalPath ?? false,
    order: given.order ?? 'input',
    concurrency: given.concurrency ?? Number.POSITIVE_INFINITY,
    batchRecords: given.batchRecords ?? DEFAULT_BATCH_RECORDS,
    flushMs: given.flushMs ?? DEFAULT_FLUSH_MS,
  }
}

function parsePrepare(where: string, options: PipelinePrepareOptions | false | undefined) {
  if (options === false) return false
  return parseOptions<PipelinePrepareOptions>(`${where}, prepare`, options, prepareChecks)
}

function parseChunk(where: string, options: PipelineChunkOptions | false | undefined): PipelinePlan['chunk'] {
  if (options === false) return false
  const checked = parseOptions<PipelineChunkOptions>(`${where}, chunk`, options, chunkChecks)
  return { ...checked, by: checked.by ?? 'auto' }
}

function parseDuplicates(
  where: string,
  given: EmbeddingPipelineOptions['duplicates'],
): PipelinePlan['duplicates'] {
  if (given === undefined || given === false) return false
  if (given === 'exact') return { near: false }
  const { near } = parsePrepareDuplicates(where, given === 'near' ? {} : given)
  return { near }
}

function parsePrepareDuplicates(
  where: string,
  duplicates: PipelineDuplicateOptions,
): { near: number | false } {
  const { near } = parsePrepareOptions(where, { duplicates })
  return { near: near ?? false }
}

/** Checks the options of a run. */
export function parseRun(options: unknown): Checked<PipelineRunOptions> {
  return parseOptions<PipelineRunOptions>('EmbeddingPipeline.run', options, runChecks)
}
