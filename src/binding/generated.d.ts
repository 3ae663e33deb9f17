// Generated from crates/node by set-up; do not edit. The interface to code against is types.ts.

/** A call under way. */
export declare class NativeJob {
  /** Takes texts in order; returns how many more may be pushed now. */
  push(texts: Array<string>): number
  /** Resolves with how many texts may be pushed; with 0 when a batch became ready first; with -1 when the call takes no more. */
  room(): Promise<number>
  /** Says that no more texts come. */
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
  tokenCount(texts: Array<string>, maxLength?: number | undefined | null, prompt?: string | undefined | null): Promise<Uint32Array | NativeError>
  /** Drains and frees the model; terminates what is left after `timeout_ms`. */
  close(timeoutMs?: number | undefined | null): Promise<NativeError | null>
}

/** Devices that the loaded library can open. */
export declare function devices(): Promise<Array<NativeDevice>>

/** Tries the candidates in order, once a process; later calls return the library already loaded. */
export declare function initRuntime(candidates: Array<string>): Promise<NativeRuntimeInfo | NativeError>

/** Loads a model on a thread of its own. */
export declare function loadModel(options: NativeModelOptions): Promise<NativeModel | NativeError>

/** Rows of a call, in one buffer. */
export interface NativeBatch {
  /** Position of the first row in the output. */
  offset: number
  /** Rows. */
  length: number
  /** Values of a row. */
  dim: number
  /** Their type. */
  dtype: import('./types.js').NativeDType
  /** The values, row by row. */
  data: Float32Array | Uint16Array | Int8Array | Uint8Array
  /** What a row's values are multiplied by. */
  scales?: Float32Array
  /** Tokens of each row. */
  tokens: Uint32Array
  /** 1 where the text was cut. */
  truncated: Uint8Array
  /** Input position of each row. */
  indices?: Float64Array
  /** Failed rows. */
  errors: Array<NativeError>
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

/** A failure as data. `index` is the global position of the input it concerns. */
export interface NativeError {
  /** A code of the closed set. */
  code: import('./types.js').ErrorCode
  /** The sentence. */
  message: string
  /** Position of the input it concerns. */
  index?: number
}

/** Options of one call. */
export interface NativeJobOptions {
  /** Rows of a batch. */
  batchSize: number
  /** `planned` or `fixed`. */
  batching: 'planned' | 'fixed'
  /** `input` or `completion`. */
  order: 'input' | 'completion'
  /** `truncate` or `error`. */
  overflow: 'truncate' | 'error'
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
  /** Higher runs first. */
  priority: number
  /** Longest time of one run, in milliseconds. */
  timeoutMs?: number
}

/** Counters since the model was loaded. */
export interface NativeMetrics {
  /** Texts finished. */
  texts: number
  /** Their tokens. */
  tokens: number
  /** The same, padding included. */
  paddedTokens: number
  /** Runs that succeeded. */
  runs: number
  /** Runs that failed or were ended. */
  failedRuns: number
  /** Texts waiting for a run. */
  waitingTexts: number
  /** Open calls. */
  openJobs: number
}

/** What a loaded model is. */
export interface NativeModelInfo {
  /** Directory of the model's files. */
  dir: string
  /** ONNX file, relative to it. */
  modelFile: string
  /** Dimensions of a vector; absent where the graph leaves it open. */
  dim?: number
  /** `cls`, `mean`, `last`, `max` or `none`. */
  pooling: 'cls' | 'mean' | 'last' | 'max' | 'none'
  /** Whether vectors get length 1. */
  normalize: boolean
  /** Limit in tokens. */
  maxLength: number
  /** Which file or option it comes from. */
  maxLengthSource: string
  /** Output of the graph. */
  outputName: string
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
  /** Padded tokens of a run. */
  maxBatchTokens: number
  /** Whether all sessions run over one copy of the weights. */
  sharedWeights: boolean
  /** Bytes of the weights on disk. */
  weightBytes: number
  /** Device of each session. */
  devices: Array<NativeSessionDevice>
  /** The inference library. */
  runtime: NativeRuntimeInfo
}

/** Options of loading a model. */
export interface NativeModelOptions {
  /** Directory of the model's files. */
  dir: string
  /** ONNX file, relative to it. */
  modelFile?: string
  /** `cls`, `mean`, `last`, `max` or `none`. */
  pooling?: 'cls' | 'mean' | 'last' | 'max' | 'none'
  /** Whether vectors get length 1. */
  normalize?: boolean
  /** Output of the graph to take. */
  outputName?: string
  /** Limit in tokens. */
  maxLength?: number
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
  /** Whether rows of dynamically quantised graphs run alone; default true. */
  batchInvariance?: boolean
  /** Open calls; one more is refused. */
  maxQueue?: number
}

/** Counters of a call. */
export interface NativeProgress {
  /** Texts pushed. */
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

/** Describes the machine. */
export declare function systemInfo(): NativeSystemInfo
