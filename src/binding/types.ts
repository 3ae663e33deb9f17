/**
 * The native addon as TypeScript sees it. Only files of this folder and the classes that wrap a native object
 * import from here. Failures come back as data (`NativeError`), never as rejections: see `../errors.ts`.
 */

export type ErrorCode =
  | 'INVALID_OPTION'
  | 'MODEL_NOT_FOUND'
  | 'MODEL_INVALID'
  | 'DOWNLOAD_FAILED'
  | 'OFFLINE'
  | 'RUNTIME_NOT_FOUND'
  | 'RUNTIME_INCOMPATIBLE'
  | 'DEVICE_UNAVAILABLE'
  | 'INPUT_TOO_LONG'
  | 'INPUT_INVALID'
  | 'IMAGE_INVALID'
  | 'ABORTED'
  | 'TIMEOUT'
  | 'OVERLOADED'
  | 'CLOSED'
  | 'INFERENCE_FAILED'
  | 'INTERNAL'

/** A failure as data. `index` is the global position of the input it concerns. */
export interface NativeError {
  code: ErrorCode
  message: string
  index?: number
}

export interface NativeRuntimeInfo {
  name: string
  version: string
  path: string
}

export interface NativeModelOptions {
  /** Directory of the model's files. */
  dir: string
  modelFile?: string
  pooling?: 'cls' | 'mean' | 'last' | 'max' | 'none'
  normalize?: boolean
  /** Output of the graph to take, by name; default: the first, or `last_hidden_state`/`sentence_embedding` by role. */
  outputName?: string
  maxLength?: number
  /** Intra-op threads of a session. */
  threads?: number
  /** Sessions; `null` one with all threads, `0` one a core, absent: one a core with one thread each. */
  parallel?: number | null
  device: 'cpu' | 'cuda' | 'auto'
  deviceIds?: number[]
  maxBatchTokens?: number
  batchInvariance?: boolean
  maxQueue?: number
}

export interface NativeModelInfo {
  dir: string
  modelFile: string
  /** Dimensions of a vector; absent where the graph leaves it open. */
  dim?: number
  pooling: 'cls' | 'mean' | 'last' | 'max' | 'none'
  normalize: boolean
  maxLength: number
  /** Which file or option the limit comes from. */
  maxLengthSource: string
  outputName: string
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
  maxBatchTokens: number
  sharedWeights: boolean
  weightBytes: number
  devices: { device: string; id?: number; fallback?: string }[]
  runtime: NativeRuntimeInfo
}

/** Counters since the model was loaded. */
export interface NativeMetrics {
  texts: number
  tokens: number
  paddedTokens: number
  runs: number
  failedRuns: number
  waitingTexts: number
  openJobs: number
}

export type NativeDType = 'float32' | 'float16' | 'int8' | 'uint8' | 'binary' | 'ubinary'

export interface NativeJobOptions {
  /** Rows of an emitted batch. */
  batchSize: number
  /** `fixed`: a run is a slice of `batchSize` inputs in input order. */
  batching: 'planned' | 'fixed'
  order: 'input' | 'completion'
  overflow: 'truncate' | 'error'
  errors: 'throw' | 'collect'
  maxLength?: number
  normalize?: boolean
  dimensions?: number
  dtype: NativeDType
  /** Written before each text; counted in tokens. */
  prompt?: string
  /** Higher runs first; 0 is ordinary. */
  priority: number
  /** Longest time of one run, in milliseconds. */
  timeoutMs?: number
}

/**
 * One batch of rows. `errors` lists the failed rows of a job with `errors: 'collect'`; their values are zero.
 * `indices` is there for `order: 'completion'`: the input position of each row.
 */
export interface NativeBatch {
  offset: number
  length: number
  /** Values of a row: dimensions, or for binary formats bytes of eight. */
  dim: number
  dtype: NativeDType
  data: Float32Array | Uint16Array | Int8Array | Uint8Array
  /** int8 and uint8: what a row's values are multiplied by. */
  scales?: Float32Array
  tokens: Uint32Array
  /** 1 where the text was cut at the limit. */
  truncated: Uint8Array
  indices?: Float64Array
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
  push(texts: string[]): number
  /** Resolves with how many texts may be pushed (> 0); with 0 when a batch became ready first; with -1 when the job is over. */
  room(): Promise<number>
  /** Says that no more texts come. */
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
  tokenCount(texts: string[], maxLength?: number, prompt?: string): Promise<Uint32Array | NativeError>
  /** Drains, or terminates after `timeoutMs`; resolves when threads and weights are gone. Idempotent. */
  close(timeoutMs?: number): Promise<NativeError | null>
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
  /** Tries the candidates in order, once a process; later calls return the library already loaded. */
  initRuntime(candidates: string[]): Promise<NativeRuntimeInfo | NativeError>
  /** Devices the loaded runtime can really open, probed. */
  devices(): Promise<{ device: string; available: boolean; reason?: string }[]>
  loadModel(options: NativeModelOptions): Promise<NativeModel | NativeError>
  systemInfo(): NativeSystemInfo
}
