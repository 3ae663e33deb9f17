/** The adapters are what the frameworks' own types ask for. */
import type { EmbeddingModelV3, ProviderV3, RerankingModelV3 } from '@ai-sdk/provider'
import { embedding } from '@lancedb/lancedb'
import type { Embeddings } from '@langchain/core/embeddings'
import type { BaseDocumentCompressor } from '@langchain/core/retrievers/document_compressors'
import type { BaseEmbedding } from '@llamaindex/core/embeddings'
import type { EmbeddingFunction, EmbeddingFunctionClass, SparseEmbeddingFunction } from 'chromadb'
import { TextEmbedding } from '../../index.js'
import { createMillrace, type MillraceProvider } from '../../src/adapters/ai-sdk.js'
import { MillraceEmbeddingFunction, MillraceSparseEmbeddingFunction } from '../../src/adapters/chroma.js'
import { MillraceFunction } from '../../src/adapters/lancedb.js'
import { MillraceEmbeddings, MillraceRerank } from '../../src/adapters/langchain.js'
import { MillraceEmbedding } from '../../src/adapters/llamaindex.js'

const _embeddings: Embeddings = new MillraceEmbeddings({ model: 'x', maxConcurrency: 2 })
const _given: Embeddings = new MillraceEmbeddings({ embedding: await TextEmbedding.create() })
const _compressor: BaseDocumentCompressor = new MillraceRerank({ topN: 2 })
// @ts-expect-error a framework wants float32
new MillraceEmbeddings({ dtype: 'int8' })

const provider: ProviderV3 & MillraceProvider = createMillrace({ embedding: { threads: 1 } })
const _model: EmbeddingModelV3 = provider.embeddingModel('x')
const _reranker: RerankingModelV3 = provider.rerankingModel('x')

const _llama: BaseEmbedding = new MillraceEmbedding()

const _chroma: EmbeddingFunction = new MillraceEmbeddingFunction()
const _class: EmbeddingFunctionClass = MillraceEmbeddingFunction
const _sparse: SparseEmbeddingFunction = new MillraceSparseEmbeddingFunction({ language: 'german' })

const _lance: embedding.TextEmbeddingFunction = new MillraceFunction({ model: 'x' })
embedding.getRegistry().register('another')(MillraceFunction)
