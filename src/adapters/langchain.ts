/** LangChain: embeddings and a document compressor. Exported as `millrace/langchain`; needs @langchain/core. */

import { Document, type DocumentInterface } from '@langchain/core/documents'
import { Embeddings, type EmbeddingsParams } from '@langchain/core/embeddings'
import { BaseDocumentCompressor } from '@langchain/core/retrievers/document_compressors'
import { TextCrossEncoder, type TextCrossEncoderOptions } from '../../index.js'
import {
  type AdapterOptions,
  type DenseVectors,
  denseVectors,
  modelName,
  type SharedModel,
  sharedModel,
} from './shared-model.js'

export type { AdapterOptions }

/** Options of {@link MillraceEmbeddings}. */
export interface MillraceEmbeddingsParams extends AdapterOptions, EmbeddingsParams {}

/**
 * Embeddings on this machine for LangChain. The model is loaded at the first use; its own prompts are written before queries and
 * documents, unless `prompts` says otherwise.
 *
 * @example
 * const store = await MemoryVectorStore.fromDocuments(documents, new MillraceEmbeddings({ model: 'BAAI/bge-small-en-v1.5' }))
 */
export class MillraceEmbeddings extends Embeddings {
  /** Name of the model: what a cache of embeddings must be named after. */
  readonly model: string
  private readonly vectors: DenseVectors

  constructor(params: MillraceEmbeddingsParams = {}) {
    const { maxConcurrency, maxRetries, onFailedAttempt, ...options } = params
    super({
      ...(maxConcurrency !== undefined && { maxConcurrency }),
      ...(maxRetries !== undefined && { maxRetries }),
      ...(onFailedAttempt !== undefined && { onFailedAttempt }),
    })
    this.model = modelName(options)
    this.vectors = denseVectors(options)
  }

  /** A vector for each document, in order. */
  override async embedDocuments(documents: string[]): Promise<number[][]> {
    return (await this.vectors.of(documents, 'passage')).vectors
  }

  /** The vector of a query, ahead of documents that are being embedded. */
  override embedQuery(document: string): Promise<number[]> {
    return this.vectors.one(document, 'query')
  }

  /** Frees the model, unless it was given. */
  close(): Promise<void> {
    return this.vectors.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** Options of {@link MillraceRerank}. */
export interface MillraceRerankParams extends TextCrossEncoderOptions<'throw'> {
  /** A model that is there; the other options but `topN` do not count then, and it is not closed. */
  reranker?: TextCrossEncoder | undefined
  /** Documents that are kept. @default 3 */
  topN?: number | undefined
}

/**
 * Keeps the documents that a cross encoder finds the best for a query, the best first, each with `relevanceScore` in its metadata: for
 * `ContextualCompressionRetriever`.
 */
export class MillraceRerank extends BaseDocumentCompressor {
  private readonly shared: SharedModel<TextCrossEncoder>
  private readonly topN: number

  constructor({ reranker, topN = 3, ...options }: MillraceRerankParams = {}) {
    super()
    this.topN = topN
    this.shared = sharedModel<TextCrossEncoder>(reranker, () =>
      TextCrossEncoder.create<'throw'>({ activation: 'sigmoid', ...options }),
    )
  }

  override async compressDocuments(
    documents: DocumentInterface[],
    query: string,
  ): Promise<DocumentInterface[]> {
    if (documents.length === 0) return []
    const model = await this.shared.get()
    const texts = documents.map(({ pageContent }) => pageContent)
    const best = await model.rerank(query, texts, { topN: this.topN })
    return best.map(({ index, score }) => {
      const document = documents[index] as DocumentInterface
      return new Document({ ...document, metadata: { ...document.metadata, relevanceScore: score } })
    })
  }

  /** Frees the model, unless it was given. */
  close(): Promise<void> {
    return this.shared.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
