/**
 * The native addon as TypeScript sees it. Only files of this folder and the classes that wrap a native object
 * import from here. Failures come back as data (`NativeError`), never as rejections: see `base/errors.ts`.
 */

import type { NativeError, NativeErrorCode } from '../base/errors.js'

export type { NativeError, NativeErrorCode }

export interface NativeRuntimeInfo {
  name: string
  version: string
  path: string
}

export type NativeFamily = 'dense' | 'static' | 'sparse' | 'late' | 'rerank' | 'image' | 'multimodal'

/** Kinds of the families `sparse` and `late`. */
export type NativeKind =
  | 'bm25'
  | 'splade'
  | 'if-splade'
  | 'bm42'
  | 'minicoil'
  | 'colbert'
  | 'jina-colbert'
  | 'late-on'
  | 'm-late-on'
  | 'tokens'

/** How BM25 reads and weighs words; `k`, `b` and `avgLen` also miniCOIL's. What is absent is FastEmbed's default. */
export interface NativeBm25Options {
  k?: number
  b?: number
  avgLen?: number
  language?: string
  tokenMaxLength?: number
  disableStemmer?: boolean
  stopwords?: string[]
  /** The caller's own stems come with `learnStems`. */
  ownStems?: boolean
}

/** Options of loading a model. Which ones count depends on the family. */
export interface NativeModelOptions {
  family: NativeFamily
  kind?: NativeKind
  /** Directory of the model's files; only BM25 may have none. */
  dir?: string
  /** File of the weights, relative to `dir`. */
  modelFile?: string
  pooling?: 'cls' | 'mean' | 'last' | 'max' | 'none'
  normalize?: boolean
  /** Output of the graph to take, by name; default: the first, or `last_hidden_state`/`sentence_embedding` by role. */
  outputName?: string
  /** The same by position; a name goes first. */
  outputIndex?: number
  /** Every text is padded to the limit. */
  padToLimit?: boolean
  maxLength?: number
  /** The sentence-transformers files of the directory do not count, but for the prompts. */
  plainFiles?: boolean
  bm25?: NativeBm25Options
  /** BM42's exponent. */
  alpha?: number
  /** Intra-op threads of a session. */
  threads?: number
  /** Sessions; `null` one with all threads, `0` one a core, absent: one a core with one thread each. */
  parallel?: number | null
  device: 'cpu' | 'cuda' | 'auto'
  deviceIds?: number[]
  maxBatchTokens?: number
  /** Bytes that all runs under way may take together, beside the weights. */
  maxMemory?: number
  batchInvariance?: boolean
  maxQueue?: number
}

/** What runs may take of memory, beside the weights, in bytes. */
export interface NativeMemoryInfo {
  /** What all runs under way may take together. */
  budget: number
  /** Who chose the budget: the option `maxMemory`, or nobody. */
  source: 'maxMemory' | 'default'
  /** What the budget must be for a text of `maxLength` tokens to be run; absent where inputs are not texts. */
  longestText?: number
  /** Attention heads of a layer, from which the need of long texts follows; absent where the engine knows its need itself. */
  heads?: number
  /** Who says how many heads there are. `assumed`: nobody, so the number errs on the high side. */
  headsSource: 'graph' | 'config.json' | 'assumed' | 'engine'
}

/** What a model is. What its family does not have is absent. */
export interface NativeModelInfo {
  dir?: string
  modelFile?: string
  /** Dimensions of a vector; absent where the graph leaves it open. */
  dim?: number
  pooling?: 'cls' | 'mean' | 'last' | 'max' | 'none'
  normalize?: boolean
  maxLength?: number
  /** Which file or option the limit comes from. */
  maxLengthSource?: string
  outputName?: string
  /** Whether texts are embedded differently for different tasks. */
  hasTasks: boolean
  inputs: string[]
  quantization: 'none' | 'weight-only' | 'static' | 'dynamic'
  /** Whether rows run one by one to keep vectors independent of their batch-mates. */
  rowByRow: boolean
  /** Prompts of a sentence-transformers configuration, by name; empty when there is none. */
  prompts: Record<string, string>
  defaultPromptName?: string
  sessions: number
  threadsPerSession: number
  coresAllowed: number
  /** What was asked for beyond the cores allowed, and why there are no more; absent where nothing was. */
  clamped?: { parallel?: number; threads?: number; reason: string }
  maxBatchTokens: number
  /** What runs may take of memory; absent where nothing is run on a graph. */
  memory?: NativeMemoryInfo
  sharedWeights: boolean
  weightBytes: number
  devices: { device: string; id?: number; fallback?: string }[]
  runtime: NativeRuntimeInfo
}

/** Counters since the model was loaded. */
export interface NativeMetrics {
  /** Inputs finished. */
  inputs: number
  /** Their tokens; of images, patches of the model, or squares of 16 x 16 pixels. */
  tokens: number
  /** The same, padding included. */
  paddedTokens: number
  /** Runs that succeeded. */
  runs: number
  /** Runs that failed or were ended. */
  failedRuns: number
  /** Inputs waiting for a run. */
  waitingInputs: number
  /** Milliseconds that the oldest of them has waited. */
  queueAgeMs: number
  /** Open calls. */
  openJobs: number
  /** Calls that were refused with OVERLOADED. */
  refusedJobs: number
  /** Inputs that began to run. */
  startedInputs: number
  /** Milliseconds that they had waited for it, all together. */
  waitMs: number
  /** Milliseconds of tokenising and decoding, over all threads. */
  prepareMs: number
  /** Milliseconds of running the graph, over all threads. */
  inferenceMs: number
  /** Milliseconds of pooling, normalising and quantising, over all threads. */
  finishMs: number
  /** Upper bounds of the classes of `runTimes`, in milliseconds. */
  runTimeBoundsMs: number[]
  /** Runs by their time in the graph: one class more than bounds, for the longer ones. */
  runTimes: number[]
  /** Failed inputs by code. */
  errors: Record<string, number>
}

export type NativeDType = 'float32' | 'float16' | 'int8' | 'uint8' | 'binary' | 'ubinary'

export interface NativeJobOptions {
  /** Rows of an emitted batch. */
  batchSize: number
  /** `fixed`: a run is a slice of `batchSize` inputs in input order. */
  batching: 'planned' | 'fixed'
  order: 'input' | 'completion'
  overflow: 'truncate' | 'error' | 'chunk'
  /** Tokens that chunks have in common. */
  chunkOverlap?: number
  /** One vector of all chunks of a text, or one of each. */
  chunkOutput?: 'pooled' | 'each'
  errors: 'throw' | 'collect'
  maxLength?: number
  normalize?: boolean
  dimensions?: number
  dtype: NativeDType
  /** Written before each text; counted in tokens. */
  prompt?: string
  /** What the texts are embedded for, by the model's own numbers. */
  task?: number
  role?: 'document' | 'query'
  /** Where a model takes both. */
  input?: 'text' | 'image'
  /** Squeeze scores into 0 to 1. */
  sigmoid?: boolean
  /** Follow an image's EXIF orientation. */
  autoOrient?: boolean
  maxImageBytes?: number
  maxImagePixels?: number
  /** ColPali's rows of padding too. */
  keepPadding?: boolean
  /** Higher runs first; 0 is ordinary. */
  priority: number
  /** Longest time of one run, in milliseconds. */
  timeoutMs?: number
  /** Sessions that may work for the call at once: `null` one, `0` all. */
  parallel?: number | null
  /** Finished rows are given without waiting for a whole batch. */
  eager?: boolean
}

export interface NativeCountOptions {
  maxLength?: number
  prompt?: string
  role?: 'document' | 'query'
  /** Count what the model adds to a text. */
  includeExtension?: boolean
}

/** One image: a path; or the bytes of a file; or pixels, with their measures. */
export interface NativeImage {
  path?: string
  data?: Uint8Array
  width?: number
  height?: number
  channels?: number
}

/**
 * One batch of rows. `errors` lists the failed rows of a job with `errors: 'collect'`; their values are zero, or there
 * are none. `positions` is there for `order: 'completion'`: the input position of each row.
 */
export interface NativeBatch {
  offset: number
  length: number
  /** Values of a row or of each of its vectors: dimensions, or for binary formats bytes of eight. 0 for sparse rows. */
  dim: number
  dtype: NativeDType
  data: Float32Array | Uint16Array | Int8Array | Uint8Array
  /** int8 and uint8: what a row's values are multiplied by. */
  scales?: Float32Array
  /** Where each row begins, in vectors or in sparse values, and where the last one ends. */
  rowOffsets?: Uint32Array
  /** Sparse rows: the dimension of each value. */
  indices?: Uint32Array
  /** Rows in chunks: where in its text each chunk begins and ends, in UTF-16 code units, and its tokens. */
  starts?: Uint32Array
  ends?: Uint32Array
  chunkTokens?: Uint32Array
  tokens: Uint32Array
  /** 1 where the input was cut at the limit. */
  truncated: Uint8Array
  positions?: Float64Array
  errors: NativeError[]
}

export interface NativeProgress {
  submitted: number
  done: number
  tokens: number
  paddedTokens: number
  runs: number
}

export interface NativeJob {
  /** Takes texts in order; returns how many more may be pushed now (0: await `room()` first). `push([])` only asks. */
  push(texts: string[]): number | NativeError
  pushImages(images: NativeImage[]): number | NativeError
  /** Pairs of a query and the document at its place. */
  pushPairs(queries: string[], documents: string[]): number | NativeError
  /** Resolves with how many inputs may be pushed (> 0); with 0 when a batch became ready first; with -1 when the job is over. */
  room(): Promise<number>
  /** Says that no more inputs come. */
  finish(): void
  /** The next batch in order; `null` at the end; an error ends the job. One call at a time. */
  next(): Promise<NativeBatch | NativeError | null>
  /** Frees everything; a pending `next()` answers with ABORTED. Idempotent. */
  cancel(): void
  progress(): NativeProgress
}

export interface NativeModel {
  info(): NativeModelInfo
  metrics(): NativeMetrics
  /** An OVERLOADED or CLOSED error comes back as data. */
  submit(options: NativeJobOptions): NativeJob | NativeError
  /** Tokens of each text after truncation, special tokens included. */
  countTokens(texts: string[], options: NativeCountOptions): Promise<Uint32Array | NativeError>
  countPairTokens(
    queries: string[],
    documents: string[],
    options: NativeCountOptions,
  ): Promise<Uint32Array | NativeError>
  /** The words of `texts` whose stems are not known yet; none unless the model takes the caller's own. */
  unknownWords(texts: string[]): string[]
  /** Takes the stem of each word; an empty one drops the word. */
  learnStems(words: string[], stems: string[]): void
  /** Drains, or terminates after `timeoutMs`; resolves when threads and weights are gone. Idempotent. */
  close(timeoutMs?: number): Promise<NativeError | null>
}

export interface NativeMuveraOptions {
  dim: number
  kSim?: number
  dimProj?: number
  rReps?: number
  seed?: number
}

export interface NativeMuvera {
  encodingLen(): number
  /** Encodings of several multi-vectors, one after the other. */
  encode(data: Float32Array, rowOffsets: Uint32Array, query: boolean): Promise<Float64Array | NativeError>
  hyperplanes(): Float64Array
  projections(): Int8Array
  /** Repetitions, hyperplanes, projected dimensions, seed. */
  measures(): number[]
}

export interface NativeChunkerOptions {
  /** Directory of the model's tokenizer. */
  dir: string
  by: 'sentence' | 'markdown' | 'tokens'
  maxTokens?: number
  overlap: number
  prefix: string
}

/** Chunks of one text: start, end (UTF-16) and tokens of each, and where in `paths` its headings are. */
export interface NativeChunks {
  spans: Uint32Array
  pathOf: Uint32Array
  paths: string[][]
}

export interface NativeChunker {
  maxTokens(): number
  /** The chunks of each text; an error names the text. */
  chunk(texts: string[]): Promise<NativeChunks[] | NativeError>
}

export interface NativeCleanOptions {
  format: 'text' | 'html' | 'markdown'
  normalization?: 'NFC' | 'NFKC'
  typography: boolean
  invisible: boolean
  whitespace: 'lines' | 'collapse' | 'keep'
}

export interface NativeLanguage {
  code: string
  name: string
  script: string
  confidence: number
  reliable: boolean
}

export interface NativeDuplicate {
  index: number
  of: number
  similarity: number
  exact: boolean
}

export interface NativeDuplicateFinder {
  /** Marks of the duplicates among the next texts: `index` counts in these, `of` in all so far. One call at a time. */
  add(texts: string[]): Promise<NativeDuplicate[] | NativeError>
}

export interface NativePrepareOptions {
  clean: NativeCleanOptions
  minLength: number
  maxLength: number
  languages: string[]
  duplicates: boolean
  near?: number
}

export interface NativeDropped {
  index: number
  reason: 'too-short' | 'too-long' | 'language' | 'duplicate'
  language?: string
  duplicate?: NativeDuplicate
}

export interface NativePrepared {
  texts: string[]
  indexes: number[]
  dropped: NativeDropped[]
}

export interface NativeProcessOptions {
  autoOrient?: boolean
  maxImageBytes?: number
  maxImagePixels?: number
}

/** The tensor of an image, `[tiles, 3, height, width]`. */
export interface NativePixels {
  data: Float32Array
  tiles: number
  height: number
  width: number
}

export interface NativeProcessor {
  process(image: NativeImage, options: NativeProcessOptions): Promise<NativePixels | NativeError>
}

export type NativeValues = Float32Array | Uint16Array | Int8Array | Uint8Array

export interface NativeRanges {
  min: Float32Array
  max: Float32Array
}

export interface NativeQuantized {
  data: NativeValues
  /** int8 and uint8 without ranges: what the levels of each row are multiplied by. */
  scales?: Float32Array
}

export interface NativeHits {
  rows: Uint32Array
  scores: Float32Array
}

/** Rows for exact search. What is appended is searched after `commit`. */
export interface NativeVectorIndex {
  append(vectors: Float32Array): Promise<null | NativeError>
  appendQuantized(data: NativeValues, scales?: Float32Array): Promise<null | NativeError>
  commit(): void
  rollback(): void
  clear(): void
  length(): number
  bytes(): number
  search(query: Float32Array, limit: number): Promise<NativeHits | NativeError>
  /** The `limit` best, by their scores in `exact`, of this one's `candidates` best. */
  searchRescored(
    query: Float32Array,
    candidates: number,
    limit: number,
    exact: NativeVectorIndex,
  ): Promise<NativeHits | NativeError>
}

export interface NativeSystemInfo {
  version: string
  arch: string
  os: string
  cpuModel: string
  cpuFeatures: string[]
  coresOnline: number
  coresAllowed: number
  /** Why `coresAllowed` is what it is: affinity, cgroup quota or all cores. */
  coresReason: string
  /** cgroup limit in bytes; absent when there is none. */
  memoryLimit?: number
  memoryTotal: number
  /** Peak resident set of this process in bytes. */
  peakRss: number
  rss: number
}

export interface NativeAddon {
  /** Waits, a second at most, for loads under way; none begins after it. Blocks: for the end of the process. */
  settle(): void
  /** Tries the candidates in order, once a process; later calls return the library already loaded. */
  initRuntime(candidates: string[]): Promise<NativeRuntimeInfo | NativeError>
  /** Devices the loaded runtime can really open, probed. */
  devices(): Promise<{ device: string; available: boolean; reason?: string }[]>
  loadModel(options: NativeModelOptions): Promise<NativeModel | NativeError>
  createMuvera(options: NativeMuveraOptions): Promise<NativeMuvera | NativeError>
  createChunker(options: NativeChunkerOptions): Promise<NativeChunker | NativeError>
  cleanTexts(texts: string[], options: NativeCleanOptions): Promise<string[] | NativeError>
  detectLanguages(texts: string[]): Promise<(NativeLanguage | null | undefined)[] | NativeError>
  /** Those of the codes whose languages cannot be detected. */
  undetectableLanguages(codes: string[]): string[]
  /** Marks of the duplicates alone. `near`: least similarity of near ones. */
  markDuplicates(texts: string[], near?: number): Promise<NativeDuplicate[] | NativeError>
  createDuplicateFinder(near?: number): NativeDuplicateFinder
  prepareTexts(texts: string[], options: NativePrepareOptions): Promise<NativePrepared | NativeError>
  /** The `preprocessor_config.json` of a directory. */
  createProcessor(dir: string): Promise<NativeProcessor | NativeError>
  /** Arrays are copied before the call returns. */
  quantizeRows(
    vectors: Float32Array,
    dim: number,
    dtype: NativeDType,
    ranges?: NativeRanges,
  ): Promise<NativeQuantized | NativeError>
  dequantizeRows(
    data: NativeValues,
    scales: Float32Array | undefined,
    dim: number,
    dtype: NativeDType,
    ranges?: NativeRanges,
  ): Promise<Float32Array | NativeError>
  rangesOf(sample: Float32Array, dim: number): Promise<NativeRanges | NativeError>
  truncateRows(vectors: Float32Array, dim: number, dimensions: number): Promise<Float32Array | NativeError>
  dots(query: Float32Array, rows: Float32Array): Float32Array | NativeError
  cosines(query: Float32Array, rows: Float32Array): Float32Array | NativeError
  hammings(query: Uint8Array, rows: Uint8Array): Uint32Array | NativeError
  createVectorIndex(dim: number, dtype: NativeDType, ranges?: NativeRanges): NativeVectorIndex | NativeError
  systemInfo(): NativeSystemInfo
  /** Names of files' contents (BLAKE3, hexadecimal), at their places. */
  fingerprintFiles(paths: string[]): Promise<string[] | NativeError>
  /** The files that an ONNX file consists of, itself first. */
  weightFiles(path: string): Promise<string[] | NativeError>
  /** The name of a list of fields; lists that differ have different names. */
  nameFields(fields: string[]): string
  /** The name of each text in a context. */
  nameTexts(context: string, texts: string[]): string[]
  namePairs(context: string, queries: string[], documents: string[]): string[]
  /** The name of bytes and what is said of them in a context. */
  nameBytes(context: string, facts: string, bytes: Uint8Array): Promise<string | null>
  /** A file's bytes and their name; `null` when it cannot be read or has more than `most` bytes. */
  readNamed(
    context: string,
    facts: string,
    path: string,
    most: number,
  ): Promise<{ name: string; bytes: Uint8Array } | null>
}
