/**
 * millrace: embeddings of texts and images on your own machine. This file only exports; `TextEmbedding` is where to
 * start reading.
 */

export { type ErrorCode, MillraceError, type MillraceErrorDetails } from './src/base/errors.js'
export type { EmbeddingBatch } from './src/batches/batch.js'
export type { ChunkBatch, EmbeddedChunk } from './src/batches/chunks.js'
export type { DenseBatch, VectorOf } from './src/batches/dense.js'
export type { MultiVectorBatch } from './src/batches/multi-vector.js'
export type { ScoreBatch } from './src/batches/score.js'
export type { SparseBatch, SparseVector } from './src/batches/sparse.js'
export {
  type DeviceStatus,
  devices,
  type RuntimeInfo,
  runtimeInfo,
  type SystemInfo,
  systemInfo,
} from './src/binding/system.js'
export { type DiskOptions, disk } from './src/cache/disk/disk.js'
export { type MemoryOptions, memory } from './src/cache/memory.js'
export {
  type IoRedisClient,
  type NodeRedisClient,
  type RedisClient,
  type RedisOptions,
  redis,
} from './src/cache/redis.js'
export { tieredCache } from './src/cache/tiered-cache.js'
export type { ModelInfo } from './src/families/base-model.js'
export { ImageEmbedding, type ImageEmbeddingStream } from './src/families/image-embedding.js'
export { ImageProcessor, type PixelTensor } from './src/families/image-processor.js'
export { LateInteractionMultimodalEmbedding } from './src/families/late-interaction-multimodal-embedding.js'
export { LateInteractionTextEmbedding } from './src/families/late-interaction-text-embedding.js'
export type { MultiVectorStream } from './src/families/multi-vector-stream.js'
export { type MultiVector, Muvera, type MuveraOptions } from './src/families/muvera.js'
export { type SparseEmbeddingStream, SparseTextEmbedding } from './src/families/sparse-text-embedding.js'
export {
  type BestOptions,
  type RankedDocument,
  type ScoreStream,
  TextCrossEncoder,
} from './src/families/text-cross-encoder.js'
export {
  type ChunkEmbeddingStream,
  TextEmbedding,
  type TextEmbeddingStream,
} from './src/families/text-embedding.js'
export type { LateTokenCountOptions, TokenCountOptions } from './src/families/token-count.js'
export type { DType } from './src/formats/dtype.js'
export type {
  DocumentCounts,
  DropReason,
  ModelMetrics,
  PipelineMetrics,
  StageTimes,
} from './src/metrics/metrics.js'
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
export type {
  CacheAnswer,
  CacheEntry,
  CacheMetrics,
  CacheTier,
  CacheTierMetrics,
  TieredCache,
} from './src/options/cache.js'
export type { ErrorMode, Progress, RowOr } from './src/options/call.js'
export type { CallDefaults, ChunkOptions, EmbedOptions } from './src/options/dense.js'
export type { ImageEmbeddingOptions, ImageEmbedOptions } from './src/options/image.js'
export type {
  LateEmbedOptions,
  LateInteractionMultimodalEmbeddingOptions,
  LateInteractionTextEmbeddingOptions,
  MultimodalImageOptions,
  MultimodalTextOptions,
} from './src/options/late-interaction.js'
export type { DownloadProgress } from './src/options/model.js'
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
export type { PipelineProgress, PipelineReport } from './src/pipeline/report.js'
export type {
  DeadLetter,
  DeadLetterSink,
  JournalSummary,
  SearchableStore,
  Sink,
  SinkContext,
  StoreHit,
  StoreSearchOptions,
  VectorSchema,
} from './src/pipeline/sink.js'
export { type JsonlSinkOptions, jsonlDeadLetters, jsonlSink } from './src/pipeline/sinks/jsonl.js'
export type { MetadataColumnType } from './src/pipeline/sinks/lancedb/arrow-tables.js'
export type { LanceDbOptions, LanceDbSinkOptions } from './src/pipeline/sinks/lancedb/options.js'
export {
  type LanceDbSearch,
  type LanceDbSearchOptions,
  openLanceDb,
} from './src/pipeline/sinks/lancedb/search.js'
export { lanceDbSink } from './src/pipeline/sinks/lancedb/sink.js'
export { type NumpySinkOptions, numpySink } from './src/pipeline/sinks/numpy.js'
export { type ParquetSinkOptions, parquetSink } from './src/pipeline/sinks/parquet.js'
export type {
  PgClient,
  PgOptions,
  PgSearchOptions,
  PgVectorSinkOptions,
} from './src/pipeline/sinks/pgvector/options.js'
export { openPgVector } from './src/pipeline/sinks/pgvector/search.js'
export { pgVectorSink } from './src/pipeline/sinks/pgvector/sink.js'
export type { QdrantClient, QdrantOptions, QdrantSinkOptions } from './src/pipeline/sinks/qdrant/options.js'
export { qdrantMultiVectors, qdrantPointId } from './src/pipeline/sinks/qdrant/points.js'
export { openQdrant } from './src/pipeline/sinks/qdrant/search.js'
export { qdrantSink } from './src/pipeline/sinks/qdrant/sink.js'
export type { SqliteDatabase, SqliteStatement } from './src/pipeline/sinks/sqlite/driver.js'
export type { SqliteOptions, SqliteSinkOptions } from './src/pipeline/sinks/sqlite/options.js'
export { openSqlite } from './src/pipeline/sinks/sqlite/search.js'
export { sqliteSink } from './src/pipeline/sinks/sqlite/sink.js'
export { type CsvOptions, csvSource } from './src/pipeline/sources/csv.js'
export type { EncodingOptions } from './src/pipeline/sources/encoding.js'
export {
  type FolderSourceOptions,
  folderSource,
  type TextSourceOptions,
  textSource,
} from './src/pipeline/sources/files.js'
export { jsonlSource } from './src/pipeline/sources/jsonl.js'
export type { RecordOptions } from './src/pipeline/sources/options.js'
export { parquetSource } from './src/pipeline/sources/parquet.js'
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
export type { ModelFiles } from './src/store/options.js'
export type { EmbeddingStream } from './src/stream/embedding-stream.js'
export type { BlobLike, ImageDataLike, ImageInput, RawImage, SharpOutput } from './src/stream/image-items.js'
export type { TextPair } from './src/stream/items.js'
export type { ImageSource, ItemSource, TextSource } from './src/stream/source.js'
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
