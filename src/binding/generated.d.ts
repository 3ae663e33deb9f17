// Generated from crates/node by set-up; do not edit. Import from types.ts, not from here.

/** A chunker. */
export declare class NativeChunker {
  /** Most tokens of a chunk. */
  maxTokens(): number
  /** The chunks of each text, on a thread of its own. An error names the text. */
  chunk(texts: Array<string>): Promise<Array<NativeChunks> | NativeError>
}

/** Finds duplicates among texts that come some at a time. */
export declare class NativeDuplicateFinder {
  /** Marks of the duplicates among the next texts; `index` counts in these, `of` in all so far. */
  add(texts: Array<string>): Promise<Array<NativeDuplicate> | NativeError>
}

/** A call under way. */
export declare class NativeJob {
  /** Takes texts in order; returns how many more inputs may be pushed now. None at all only asks, in any family. */
  push(texts: Array<string>): number | NativeError
  /** As `push`, for images. */
  pushImages(images: Array<NativeImage>): number | NativeError
  /** As `push`, for pairs of a query and the document at its place. */
  pushPairs(queries: Array<string>, documents: Array<string>): number | NativeError
  /** Resolves with how many inputs may be pushed; with 0 when a batch became ready first; with -1 when the call takes no more. */
  room(): Promise<number>
  /** Says that no more inputs come. */
  finish(): void
  /** The next batch; `null` at the end. */
  next(): Promise<NativeBatch | NativeError | null>
  /** Frees everything the call holds. */
  cancel(): void
  /** Counters of the call. */
  progress(): NativeProgress
}

/** A loaded model. */
export declare class NativeModel {
  /** What the model is. */
  info(): NativeModelInfo
  /** Counters since the model was loaded. */
  metrics(): NativeMetrics
  /** Opens a call. */
  submit(options: NativeJobOptions): NativeJob | NativeError
  /** Tokens of each text after truncation, special tokens included. */
  countTokens(texts: Array<string>, options: NativeCountOptions): Promise<Uint32Array | NativeError>
  /** Tokens of each pair of a query and the document at its place. */
  countPairTokens(queries: Array<string>, documents: Array<string>, options: NativeCountOptions): Promise<Uint32Array | NativeError>
  /** The words of `texts` whose stems are not known yet; none unless the model takes the caller's own. */
  unknownWords(texts: Array<string>): Array<string>
  /** Takes the stem of each word; an empty one drops the word. */
  learnStems(words: Array<string>, stems: Array<string>): void
  /** Drains and frees the model; terminates what is left after `timeout_ms`. */
  close(timeoutMs?: number | undefined | null): Promise<NativeError | null>
}

/** An encoder. */
export declare class NativeMuvera {
  /** Values of an encoding. */
  encodingLen(): number
  /**
   * Encodings of several multi-vectors, one after the other: `data` holds vectors, `row_offsets` says with which
   * vector each row begins and where the last one ends. Works on a thread of its own.
   */
  encode(data: Float32Array, rowOffsets: Uint32Array, query: boolean): Promise<Float64Array | NativeError>
  /** Normals of the hyperplanes, `[r_reps, dim, k_sim]`. */
  hyperplanes(): Float64Array
  /** Signs of the projections, `[r_reps, dim, dim_proj]`. */
  projections(): Int8Array
  /** Repetitions, hyperplanes and projected dimensions, in this order, then the seed. */
  measures(): Array<number>
}

/** An image processor. */
export declare class NativeProcessor {
  /** Reads, scales and normalises an image, on a thread of its own. */
  process(image: NativeImage, options: NativeProcessOptions): Promise<NativePixels | NativeError>
}

/** Rows for exact search. */
export declare class NativeVectorIndex {
  /** Puts float32 vectors behind the other rows; they are searched after `commit`. */
  append(vectors: Float32Array): Promise<null | NativeError>
  /** The same with rows that are in the index's format. */
  appendQuantized(data: Float32Array | Uint16Array | Int8Array | Uint8Array, scales?: Float32Array | undefined | null): Promise<null | NativeError>
  /** Makes the appended rows part of what is searched. */
  commit(): void
  /** Takes the appended rows away. */
  rollback(): void
  /** Removes all rows. */
  clear(): void
  /** Rows that are searched. */
  length(): number
  /** Bytes of values and scales. */
  bytes(): number
  /** The `limit` best rows. */
  search(query: Float32Array, limit: number): Promise<NativeHits | NativeError>
  /** The `limit` best, by their scores in the index `exact`, of this one's `candidates` best. */
  searchRescored(query: Float32Array, candidates: number, limit: number, exact: NativeVectorIndex): Promise<NativeHits | NativeError>
}

/** The cleaned texts. */
export declare function cleanTexts(texts: Array<string>, options: NativeCleanOptions): Promise<Array<string> | NativeError>

/** Cosines of a query and rows. */
export declare function cosines(query: Float32Array, rows: Float32Array): Float32Array | NativeError

/** Loads the tokenizer of a model's directory, on a thread of its own. */
export declare function createChunker(options: NativeChunkerOptions): Promise<NativeChunker | NativeError>

/** A finder that has seen nothing. */
export declare function createDuplicateFinder(near?: number | undefined | null): NativeDuplicateFinder

/** Draws the random matrices of an encoder, on a thread of its own. */
export declare function createMuvera(options: NativeMuveraOptions): Promise<NativeMuvera | NativeError>

/** Reads the `preprocessor_config.json` of a directory, on a thread of its own. */
export declare function createProcessor(dir: string): Promise<NativeProcessor | NativeError>

/** An index without rows. */
export declare function createVectorIndex(dim: number, dtype: string, ranges?: NativeRanges | undefined | null): NativeVectorIndex | NativeError

/** Back to float32. */
export declare function dequantizeRows(data: Float32Array | Uint16Array | Int8Array | Uint8Array, scales: Float32Array | undefined | null, dim: number, dtype: string, ranges?: NativeRanges | undefined | null): Promise<Float32Array | NativeError>

/** The language of each text; `null` where there are no letters. */
export declare function detectLanguages(texts: Array<string>): Promise<Array<NativeLanguage | undefined | null> | NativeError>

/** Devices that the loaded library can open. */
export declare function devices(): Promise<Array<NativeDevice>>

/** Dot products of a query with rows. */
export declare function dots(query: Float32Array, rows: Float32Array): Float32Array | NativeError

/** The names of files' contents, at their places. Works on a thread of its own. */
export declare function fingerprintFiles(paths: Array<string>): Promise<Array<string> | NativeError>

/** Differing bits of a query and rows. */
export declare function hammings(query: Uint8Array, rows: Uint8Array): Uint32Array | NativeError

/** Tries the candidates in order, once a process; later calls return the library already loaded. */
export declare function initRuntime(candidates: Array<string>): Promise<NativeRuntimeInfo | NativeError>

/** Loads a model on a thread of its own. */
export declare function loadModel(options: NativeModelOptions): Promise<NativeModel | NativeError>

/** The texts that say the same as earlier ones. */
export declare function markDuplicates(texts: Array<string>, near?: number | undefined | null): Promise<Array<NativeDuplicate> | NativeError>

/** The name of bytes and what is said of them, as bytes of `context`. Works on a thread of its own. */
export declare function nameBytes(context: string, facts: string, bytes: Uint8Array): Promise<string | null>

/** The name of a list of fields. */
export declare function nameFields(fields: Array<string>): string

/** The name of each pair of a query and the document at its place, as pair of `context`. */
export declare function namePairs(context: string, queries: Array<string>, documents: Array<string>): Array<string>

/** The name of each text, as text of `context`. */
export declare function nameTexts(context: string, texts: Array<string>): Array<string>

/** Rows of a call. Which of the optional parts are there depends on the family. */
export interface NativeBatch {
  /** Position of the first row in the output. */
  offset: number
  /** Rows. */
  length: number
  /** Values of a row, or of each of its vectors; 0 for sparse rows. */
  dim: number
  /** Their type. */
  dtype: import('./types.js').NativeDType
  /** The values, row by row. */
  data: Float32Array | Uint16Array | Int8Array | Uint8Array
  /** What a row's values are multiplied by. */
  scales?: Float32Array
  /** Where each row begins, in vectors or in sparse values, and where the last one ends. */
  rowOffsets?: Uint32Array
  /** Sparse rows: the dimension of each value. */
  indices?: Uint32Array
  /** Rows in chunks: where in its text each chunk begins, in UTF-16 code units. */
  starts?: Uint32Array
  /** Where it ends, likewise. */
  ends?: Uint32Array
  /** Tokens of each chunk. */
  chunkTokens?: Uint32Array
  /** Tokens of each row. */
  tokens: Uint32Array
  /** 1 where the input was cut. */
  truncated: Uint8Array
  /** Input position of each row. */
  positions?: Float64Array
  /** Failed rows. */
  errors: Array<NativeError>
}

/** How BM25 reads and weighs words. What is absent is FastEmbed's default. */
export interface NativeBm25Options {
  /** How late repetitions stop to count. */
  k?: number
  /** How much long documents are held back. */
  b?: number
  /** Words of an average document. */
  avgLen?: number
  /** Language of stemmer and stop words. */
  language?: string
  /** Words of more characters are dropped. */
  tokenMaxLength?: number
  /** Whether words are taken as they are. */
  disableStemmer?: boolean
  /** Stop words instead of the language's. */
  stopwords?: Array<string>
  /** Whether the caller's own stems come with `learnStems`. */
  ownStems?: boolean
}

/** Options of a chunker. */
export interface NativeChunkerOptions {
  /** Directory of the model's tokenizer. */
  dir: string
  /** Where texts are cut: `sentence`, `markdown` or `tokens`. */
  by: 'sentence' | 'markdown' | 'tokens'
  /** Most tokens of a chunk; the model's limit otherwise. */
  maxTokens?: number
  /** Tokens of a chunk that are the end of the one before it. */
  overlap: number
  /** What will be put before each chunk. */
  prefix: string
}

/** Chunks of one text. */
export interface NativeChunks {
  /** Start, end and tokens of each, three numbers a chunk; positions in UTF-16 code units. */
  spans: Uint32Array
  /** Position in `paths` of each chunk's headings. */
  pathOf: Uint32Array
  /** Headings, outermost first. */
  paths: Array<Array<string>>
}

/** What was asked for beyond the cores allowed. */
export interface NativeClamped {
  /** Sessions that were asked for. */
  parallel?: number
  /** Threads of a session that were asked for. */
  threads?: number
  /** Why there are no more cores: all of the machine's, an affinity mask, a container's quota. */
  reason: string
}

/** What is cleaned. TypeScript has filled in every value. */
export interface NativeCleanOptions {
  /** `text`, `html` or `markdown`. */
  format: 'text' | 'html' | 'markdown'
  /** `NFC` or `NFKC`; absent: characters stay. */
  normalization?: 'NFC' | 'NFKC'
  /** Typographic characters become plain. */
  typography: boolean
  /** Invisible characters go. */
  invisible: boolean
  /** `lines`, `collapse` or `keep`. */
  whitespace: 'lines' | 'collapse' | 'keep'
}

/** Options of counting tokens. */
export interface NativeCountOptions {
  /** Limit in tokens. */
  maxLength?: number
  /** Written before each text, and counted. */
  prompt?: string
  /** `document` or `query`. */
  role?: 'document' | 'query'
  /** Whether what the model adds to a text is counted. */
  includeExtension?: boolean
}

/** A device and whether it can be used. */
export interface NativeDevice {
  /** `cpu` or `cuda`. */
  device: string
  /** Whether a session could be opened on it. */
  available: boolean
  /** Why not. */
  reason?: string
}

/** A text that was dropped. */
export interface NativeDropped {
  /** Its position. */
  index: number
  /** `too-short`, `too-long`, `language` or `duplicate`. */
  reason: 'too-short' | 'too-long' | 'language' | 'duplicate'
  /** Its language. */
  language?: string
  /** What it is a duplicate of. */
  duplicate?: NativeDuplicate
}

/** An earlier text that says the same. */
export interface NativeDuplicate {
  /** Position of the text that is a duplicate. */
  index: number
  /** Position of the earlier text. */
  of: number
  /** From the threshold to 1. */
  similarity: number
  /** Whether they are equal. */
  exact: boolean
}

/** A failure as data. `index` is the global position of the input it concerns. */
export interface NativeError {
  /** A code of the closed set. */
  code: import('../base/errors.js').NativeErrorCode
  /** The sentence. */
  message: string
  /** Position of the input it concerns. */
  index?: number
}

/** The rows found, best first. */
export interface NativeHits {
  /** Their numbers. */
  rows: Uint32Array
  /** Their scores. */
  scores: Float32Array
}

/** One image: a path, the bytes of a file, or pixels with their measures. */
export interface NativeImage {
  /** A file's path. */
  path?: string
  /** Bytes of a file; pixels where there is a `width`. */
  data?: Uint8Array
  /** Pixels of a row. */
  width?: number
  /** Rows. */
  height?: number
  /** Values of a pixel, 1 to 4. */
  channels?: number
}

/** Options of one call. Which ones count depends on the family. */
export interface NativeJobOptions {
  /** Rows of a batch. */
  batchSize: number
  /** `planned` or `fixed`. */
  batching: 'planned' | 'fixed'
  /** `input` or `completion`. */
  order: 'input' | 'completion'
  /** `truncate`, `error` or `chunk`. */
  overflow: 'truncate' | 'error' | 'chunk'
  /** Tokens that chunks have in common. */
  chunkOverlap?: number
  /** `pooled` or `each`. */
  chunkOutput?: 'pooled' | 'each'
  /** `throw` or `collect`. */
  errors: 'throw' | 'collect'
  /** Limit in tokens. */
  maxLength?: number
  /** Whether vectors get length 1. */
  normalize?: boolean
  /** Dimensions to keep. */
  dimensions?: number
  /** `float32`, `float16`, `int8`, `uint8`, `binary` or `ubinary`. */
  dtype: import('./types.js').NativeDType
  /** Written before each text. */
  prompt?: string
  /** What the texts are embedded for, by the model's own numbers. */
  task?: number
  /** `document` or `query`. */
  role?: 'document' | 'query'
  /** `text` or `image`, where a model takes both. */
  input?: 'text' | 'image'
  /** Whether scores are squeezed into 0 to 1. */
  sigmoid?: boolean
  /** Whether an image's EXIF orientation is followed. */
  autoOrient?: boolean
  /** Most bytes of an image's file. */
  maxImageBytes?: number
  /** Most pixels of an image. */
  maxImagePixels?: number
  /** Whether `ColPali` gives the rows of padding too, which FastEmbed does. */
  keepPadding?: boolean
  /** Higher runs first. */
  priority: number
  /** Longest time of one run, in milliseconds. */
  timeoutMs?: number
  /** Sessions that may work for the call at once: `null` one, 0 all. */
  parallel?: number | null
  /** Whether finished rows are given without waiting for a whole batch. */
  eager?: boolean
}

/** The language of a text. */
export interface NativeLanguage {
  /** Code of ISO 639-3. */
  code: string
  /** English name. */
  name: string
  /** English name of the script. */
  script: string
  /** From 0 to 1. */
  confidence: number
  /** Whether to trust it. */
  reliable: boolean
}

/** What runs may take of memory, beside the weights. */
export interface NativeMemoryInfo {
  /** Bytes that all runs under way may take together. */
  budget: number
  /** `maxMemory`, or `default` where the caller gave none. */
  source: 'maxMemory' | 'default'
  /** Bytes that the budget must have for a text of `maxLength` tokens. */
  longestText?: number
  /** Attention heads of a layer, from which the need of long texts follows; absent where the engine knows its need itself. */
  heads?: number
  /** `graph`, `config.json`, or `assumed` where neither says it. */
  headsSource: 'graph' | 'config.json' | 'assumed' | 'engine'
}

/** Counters since the model was loaded. */
export interface NativeMetrics {
  /** Inputs finished. */
  inputs: number
  /** Their tokens. */
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
  /** Calls that were refused because as many were open as may be. */
  refusedJobs: number
  /** Inputs that began to run. */
  startedInputs: number
  /** Milliseconds that they had waited, all together. */
  waitMs: number
  /** Milliseconds of preparing inputs, over all threads. */
  prepareMs: number
  /** Milliseconds of running the graph, over all threads. */
  inferenceMs: number
  /** Milliseconds of making rows of what the graph gave, over all threads. */
  finishMs: number
  /** Upper bounds of the classes of `run_times`, in milliseconds. */
  runTimeBoundsMs: Array<number>
  /** Runs by their time in the graph: one class more than bounds. */
  runTimes: Array<number>
  /** Failed inputs by code. */
  errors: Record<string, number>
}

/** What a loaded model is. What its family does not have is absent. */
export interface NativeModelInfo {
  /** Directory of the model's files. */
  dir?: string
  /** File of the weights, relative to it. */
  modelFile?: string
  /** Dimensions of a vector. */
  dim?: number
  /** How token vectors become one vector; several are put one after the other. */
  pooling?: import('./types.js').NativePooling | import('./types.js').NativePooling[]
  /** Who says the pooling: a file with its key, an option, the output's shape. */
  poolingSource?: string
  /** Whether vectors get length 1. */
  normalize?: boolean
  /** Who says so. */
  normalizeSource?: string
  /** Limit in tokens. */
  maxLength?: number
  /** Which file or option it comes from. */
  maxLengthSource?: string
  /** Output of the graph. */
  outputName?: string
  /** Who chose it. */
  outputSource?: string
  /** Whether texts are embedded differently for different tasks. */
  hasTasks: boolean
  /** Inputs of the graph. */
  inputs: Array<string>
  /** `none`, `weight-only`, `static` or `dynamic`. */
  quantization: 'none' | 'weight-only' | 'static' | 'dynamic'
  /** Whether rows run one by one. */
  rowByRow: boolean
  /** Prompts of the model's configuration. */
  prompts: Record<string, string>
  /** The one that is used when none is chosen. */
  defaultPromptName?: string
  /** Sessions. */
  sessions: number
  /** Intra-op threads of a session. */
  threadsPerSession: number
  /** Cores that affinity and container allow. */
  coresAllowed: number
  /** What was asked for beyond them; absent where nothing was. */
  clamped?: NativeClamped
  /** Padded tokens of a run. */
  maxBatchTokens: number
  /** What runs may take of memory; absent where nothing is run on a graph. */
  memory?: NativeMemoryInfo
  /** Whether all sessions run over one copy of the weights. */
  sharedWeights: boolean
  /** Bytes of the weights on disk. */
  weightBytes: number
  /** Device of each session. */
  devices: Array<NativeSessionDevice>
  /** The inference library. */
  runtime: NativeRuntimeInfo
}

/** Options of loading a model. Which ones count depends on the family. */
export interface NativeModelOptions {
  /** `dense`, `static`, `sparse`, `late`, `rerank`, `image` or `multimodal`. */
  family: import('./types.js').NativeFamily
  /** Kind of a sparse or late-interaction model. */
  kind?: import('./types.js').NativeKind
  /** Directory of the model's files; BM25 may have none. */
  dir?: string
  /** File of the weights, relative to it. */
  modelFile?: string
  /** How token vectors become one vector. */
  pooling?: import('./types.js').NativePooling
  /** Whether vectors get length 1. */
  normalize?: boolean
  /** Output of the graph to take. */
  outputName?: string
  /** The same by position; a name goes first. */
  outputIndex?: number
  /** Whether every text is padded to the limit. */
  padToLimit?: boolean
  /** Limit in tokens. */
  maxLength?: number
  /** Whether the sentence-transformers files of the directory do not count, but for the prompts. */
  plainFiles?: boolean
  /** Names of the options above that the model's definition says and not the caller. */
  defined?: Array<string>
  /** Options of BM25, and the weights of miniCOIL. */
  bm25?: NativeBm25Options
  /** BM42's exponent. */
  alpha?: number
  /** Intra-op threads of a session. */
  threads?: number
  /** Sessions: `null` one with all threads, 0 one a core. */
  parallel?: number | null
  /** `cpu`, `cuda` or `auto`. */
  device: 'cpu' | 'cuda' | 'auto'
  /** Which devices, by number. */
  deviceIds?: Array<number>
  /** Padded tokens of a run. */
  maxBatchTokens?: number
  /** Bytes that all runs under way may take together. */
  maxMemory?: number
  /** Whether rows of dynamically quantised graphs run alone; default true. */
  batchInvariance?: boolean
  /** Open calls; one more is refused. */
  maxQueue?: number
}

/** The measures of an encoding. */
export interface NativeMuveraOptions {
  /** Dimensions of the vectors. */
  dim: number
  /** Hyperplanes. */
  kSim?: number
  /** Dimensions that a cluster is projected to. */
  dimProj?: number
  /** Repetitions. */
  rReps?: number
  /** Seed of the random numbers, an unsigned integer. */
  seed?: number
}

/** A file's bytes and their name; see `NativeNamedFile`. */
export interface NativeNamedFile {
  /** The name of the bytes. */
  name: string
  /** The bytes. */
  bytes: Uint8Array
}

/** The tensor of an image, `[tiles, 3, height, width]`. */
export interface NativePixels {
  /** Its values. */
  data: Float32Array
  /** Tiles; 1 where the processor does not split. */
  tiles: number
  /** Rows of a tile. */
  height: number
  /** Pixels of a row. */
  width: number
}

/** Texts that are kept, and those that are not. */
export interface NativePrepared {
  /** Cleaned texts. */
  texts: Array<string>
  /** Their positions. */
  indexes: Array<number>
  /** The others. */
  dropped: Array<NativeDropped>
}

/** Which texts are kept. */
export interface NativePrepareOptions {
  /** How texts are cleaned first. */
  clean: NativeCleanOptions
  /** Least length in UTF-16 code units. */
  minLength: number
  /** Greatest length. */
  maxLength: number
  /** Codes of languages to keep; none for all. */
  languages: Array<string>
  /** Whether duplicates are dropped. */
  duplicates: boolean
  /** Least similarity of near duplicates. */
  near?: number
}

/** Options of one image. */
export interface NativeProcessOptions {
  /** Whether its EXIF orientation is followed. */
  autoOrient?: boolean
  /** Most bytes of its file. */
  maxImageBytes?: number
  /** Most pixels. */
  maxImagePixels?: number
}

/** Counters of a call. */
export interface NativeProgress {
  /** Inputs pushed. */
  submitted: number
  /** Rows finished or failed. */
  done: number
  /** Tokens of the finished rows. */
  tokens: number
  /** The same, padding included. */
  paddedTokens: number
  /** Runs that held rows of this call. */
  runs: number
}

/** Vectors in a format. */
export interface NativeQuantized {
  /** The values, row by row. */
  data: Float32Array | Uint16Array | Int8Array | Uint8Array
  /** What the levels of each row are multiplied by. */
  scales?: Float32Array
}

/** Ranges of dimensions. */
export interface NativeRanges {
  /** Least values. */
  min: Float32Array
  /** Greatest values. */
  max: Float32Array
}

/** The inference library in use. */
export interface NativeRuntimeInfo {
  /** `onnxruntime`. */
  name: string
  /** Its version. */
  version: string
  /** Where it was loaded from. */
  path: string
}

/** The device that a session runs on. */
export interface NativeSessionDevice {
  /** `cpu` or `cuda`. */
  device: string
  /** Which one. */
  id?: number
  /** Why it is not the one asked for. */
  fallback?: string
}

/** The machine, and how much of it this process may use. */
export interface NativeSystemInfo {
  /** Version of the addon. */
  version: string
  /** Processor architecture. */
  arch: string
  /** Operating system. */
  os: string
  /** The processor's name. */
  cpuModel: string
  /** Instruction sets that matter to inference. */
  cpuFeatures: Array<string>
  /** Cores of the machine. */
  coresOnline: number
  /** Cores that affinity and container allow. */
  coresAllowed: number
  /** Why it is not all of them. */
  coresReason: string
  /** Memory limit of the container in bytes. */
  memoryLimit?: number
  /** Memory of the machine in bytes. */
  memoryTotal: number
  /** Peak resident set of this process in bytes. */
  peakRss: number
  /** Resident set of this process in bytes. */
  rss: number
}

/** Cleans texts and drops those that are not worth an index. */
export declare function prepareTexts(texts: Array<string>, options: NativePrepareOptions): Promise<NativePrepared | NativeError>

/** Vectors of `dim` dimensions in another format. */
export declare function quantizeRows(vectors: Float32Array, dim: number, dtype: string, ranges?: NativeRanges | undefined | null): Promise<NativeQuantized | NativeError>

/** The ranges of a sample. */
export declare function rangesOf(sample: Float32Array, dim: number): Promise<NativeRanges | NativeError>

/**
 * A file's bytes and their name, as bytes of `context`; `null` when it cannot be read or is no file, or has more
 * bytes than `most`. Works on a thread of its own.
 */
export declare function readNamed(context: string, facts: string, path: string, most: number): Promise<NativeNamedFile | null>

/**
 * Waits, a second at most, until the inference library is started and models are loaded; none begins after it. For the last
 * moment of the process's event loop: it blocks.
 */
export declare function settle(): void

/** Describes the machine. */
export declare function systemInfo(): NativeSystemInfo

/** The first `dimensions` of each vector, normalised. */
export declare function truncateRows(vectors: Float32Array, dim: number, dimensions: number): Promise<Float32Array | NativeError>

/** Those of the codes whose languages cannot be detected. */
export declare function undetectableLanguages(codes: Array<string>): Array<string>

/** The files that the ONNX file at `path` consists of, itself first. Works on a thread of its own. */
export declare function weightFiles(path: string): Promise<Array<string> | NativeError>
