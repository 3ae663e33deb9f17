/**
 * millrace: embeddings of texts and images on your own machine. This file only exports; `TextEmbedding` is where to
 * start reading.
 */

export type { ModelInfo, ModelMetrics } from './src/base-model.js'
export type { ChunkBatch, EmbeddedChunk } from './src/batches/chunks.js'
export type { DenseBatch, VectorOf } from './src/batches/dense.js'
export type { MultiVectorBatch } from './src/batches/multi-vector.js'
export type { ScoreBatch } from './src/batches/score.js'
export type { SparseBatch, SparseVector } from './src/batches/sparse.js'
export { type DiskOptions, disk } from './src/cache/disk/disk.js'
export type { CacheTierMetrics } from './src/cache/guarded-tier.js'
export { type MemoryOptions, memory } from './src/cache/memory.js'
export {
  type IoRedisClient,
  type NodeRedisClient,
  type RedisClient,
  type RedisOptions,
  redis,
} from './src/cache/redis.js'
export type { CacheAnswer, CacheEntry, CacheTier } from './src/cache/tier.js'
export { type CacheMetrics, type TieredCache, tieredCache } from './src/cache/tiered-cache.js'
export type { EmbeddingBatch, EmbeddingStream } from './src/embedding-stream.js'
export { type ErrorCode, MillraceError, type MillraceErrorDetails } from './src/errors.js'
export { ImageEmbedding, type ImageEmbeddingStream } from './src/image-embedding.js'
export { ImageProcessor, type PixelTensor } from './src/image-processor.js'
export { LateInteractionMultimodalEmbedding } from './src/late-interaction-multimodal-embedding.js'
export {
  LateInteractionTextEmbedding,
  type MultiVectorStream,
} from './src/late-interaction-text-embedding.js'
export {
  type Measured,
  type PrometheusOptions,
  type PrometheusSources,
  prometheusText,
} from './src/metrics/prometheus.js'
export { instrument, type TracedSpan, type Tracer } from './src/metrics/tracing.js'
export type {
  CustomDirectory,
  CustomImageSettings,
  CustomLateSettings,
  CustomModel,
  CustomMultimodalSettings,
  CustomRepository,
  CustomRerankSettings,
  CustomSparseSettings,
  CustomTextSettings,
} from './src/models/custom.js'
export type { ModelDescription } from './src/models/describe.js'
export type { RolePrompts } from './src/models/registry.js'
export { type MultiVector, Muvera, type MuveraOptions } from './src/muvera.js'
export type { ErrorMode, Progress, RowOr } from './src/options/call.js'
export type { CallDefaults, ChunkOptions, DType, EmbedOptions } from './src/options/dense.js'
export type { ImageEmbeddingOptions, ImageEmbedOptions } from './src/options/image.js'
export type {
  LateEmbedOptions,
  LateInteractionMultimodalEmbeddingOptions,
  LateInteractionTextEmbeddingOptions,
  MultimodalImageOptions,
  MultimodalTextOptions,
} from './src/options/late-interaction.js'
export type { CleanOptions, DuplicateOptions, PrepareOptions } from './src/options/prepare.js'
export type { RankOptions, RerankOptions, TextCrossEncoderOptions } from './src/options/rerank.js'
export type { Bm25Options, SparseEmbedOptions, SparseTextEmbeddingOptions } from './src/options/sparse.js'
export type { Pooling, Prompts, TextEmbeddingOptions } from './src/options/text.js'
export type {
  DocumentSource,
  JsonValue,
  NamedDocumentSource,
  PipelineDocument,
  TextFormat,
  UnreadableDocument,
} from './src/pipeline/document.js'
export type {
  EmbeddingPipelineOptions,
  PipelineChunkOptions,
  PipelineDuplicateOptions,
  PipelinePrepareOptions,
  PipelineRunOptions,
} from './src/pipeline/options.js'
export { EmbeddingPipeline } from './src/pipeline/pipeline.js'
export {
  type DenseColumn,
  denseRow,
  type PipelineRecord,
  type RecordBatch,
  type SparseColumn,
  sparseRow,
} from './src/pipeline/record.js'
export type {
  DocumentCounts,
  DropReason,
  PipelineMetrics,
  PipelineProgress,
  PipelineReport,
  StageTimes,
} from './src/pipeline/report.js'
export type {
  DeadLetter,
  DeadLetterSink,
  SearchableStore,
  Sink,
  SinkContext,
  StoreHit,
  VectorSchema,
} from './src/pipeline/sink.js'
export { cosine, cosineMany, dot, dotMany, hamming, hammingMany } from './src/quantize/arithmetic.js'
export { dequantize, type QuantizeOptions, quantize } from './src/quantize/quantize.js'
export { calibrate, QuantizationRanges, type QuantizationRangesJson } from './src/quantize/ranges.js'
export {
  type BinarySearchOptions,
  type SearchHit,
  type SearchOptions,
  searchBinary,
  searchFloat,
} from './src/quantize/search.js'
export { truncateDimensions } from './src/quantize/truncate.js'
export { VectorIndex, type VectorIndexOptions } from './src/quantize/vector-index.js'
export type { QuantizedVectors, VectorRows } from './src/quantize/vectors.js'
export { type JsonlSinkOptions, jsonlDeadLetters, jsonlSink } from './src/sinks/jsonl.js'
export {
  type LanceDbOptions,
  type LanceDbSearch,
  type LanceDbSinkOptions,
  lanceDbSink,
  openLanceDb,
} from './src/sinks/lancedb.js'
export type { MetadataColumnType } from './src/sinks/lancedb-table.js'
export { type NumpySinkOptions, numpySink } from './src/sinks/numpy.js'
export { type ParquetSinkOptions, parquetSink } from './src/sinks/parquet.js'
export {
  openPgVector,
  type PgClient,
  type PgOptions,
  type PgVectorSinkOptions,
  pgVectorSink,
} from './src/sinks/pgvector.js'
export {
  openQdrant,
  type QdrantClient,
  type QdrantOptions,
  type QdrantSinkOptions,
  qdrantMultiVectors,
  qdrantPointId,
  qdrantSink,
} from './src/sinks/qdrant.js'
export { openSqlite, type SqliteOptions, type SqliteSinkOptions, sqliteSink } from './src/sinks/sqlite.js'
export type { SqliteDatabase, SqliteStatement } from './src/sinks/sqlite-driver.js'
export {
  type FolderSourceOptions,
  folderSource,
  type TextSourceOptions,
  textSource,
} from './src/sources/files.js'
export type { RecordOptions } from './src/sources/options.js'
export { type CsvOptions, csvSource, jsonlSource, parquetSource } from './src/sources/records.js'
export { type SparseEmbeddingStream, SparseTextEmbedding } from './src/sparse-text-embedding.js'
export type { DownloadProgress, ModelFiles } from './src/store/options.js'
export type { ImageInput, RawImage, TextPair } from './src/stream/items.js'
export type { ImageSource, ItemSource, TextSource } from './src/stream/source.js'
export {
  type DeviceStatus,
  devices,
  type RuntimeInfo,
  runtimeInfo,
  type SystemInfo,
  systemInfo,
} from './src/system.js'
export { type TextChunk, TextChunker, type TextChunkerOptions } from './src/text/chunk.js'
export { DuplicateFinder } from './src/text/duplicate-finder.js'
export {
  cleanText,
  type DetectedLanguage,
  type DroppedText,
  type DuplicateMark,
  detectLanguage,
  markDuplicates,
  type PreparedTexts,
  prepareTexts,
} from './src/text/prepare.js'
export {
  type BestOptions,
  type RankedDocument,
  type ScoreStream,
  TextCrossEncoder,
} from './src/text-cross-encoder.js'
export { type ChunkEmbeddingStream, TextEmbedding, type TextEmbeddingStream } from './src/text-embedding.js'
export type { LateTokenCountOptions, TokenCountOptions } from './src/token-count.js'
