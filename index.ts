/**
 * millrace: text embeddings on your own machine. This file only exports; `TextEmbedding` is where to start reading.
 */

export type { DenseBatch, VectorOf } from './src/batch.js'
export type { EmbeddingBatch, EmbeddingStream } from './src/embedding-stream.js'
export { type ErrorCode, MillraceError, type MillraceErrorDetails } from './src/errors.js'
export type { CustomModel, ModelDescription } from './src/models/custom.js'
export type { CallDefaults, DType, EmbedOptions, ErrorMode, Progress } from './src/options/embed.js'
export type { Pooling, Prompts, TextEmbeddingOptions } from './src/options/model.js'
export type { TextSource } from './src/stream/source.js'
export {
  type DeviceStatus,
  devices,
  type RuntimeInfo,
  runtimeInfo,
  type SystemInfo,
  systemInfo,
} from './src/system.js'
export {
  type ModelInfo,
  type ModelMetrics,
  type RowOf,
  TextEmbedding,
  type TextEmbeddingStream,
} from './src/text-embedding.js'
export type { TokenCountOptions } from './src/token-count.js'
