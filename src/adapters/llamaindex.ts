/** LlamaIndex.TS: embeddings. Exported as `millrace/llamaindex`; needs @llamaindex/core. */

import { BaseEmbedding, type BaseEmbeddingOptions } from '@llamaindex/core/embeddings'
import type { MessageContentDetail } from '@llamaindex/core/llms'
import { type AdapterOptions, type DenseVectors, denseVectors, modelName } from './shared-model.js'

export type { AdapterOptions }

/**
 * Embeddings on this machine for LlamaIndex. The model is loaded at the first use; its own prompts are written before queries and
 * texts, unless `prompts` says otherwise.
 *
 * @example
 * Settings.embedModel = new MillraceEmbedding({ model: 'BAAI/bge-small-en-v1.5' })
 */
export class MillraceEmbedding extends BaseEmbedding {
  /** Name of the model. */
  readonly model: string
  private readonly vectors: DenseVectors

  constructor(options: AdapterOptions = {}) {
    super()
    this.model = modelName(options)
    this.vectors = denseVectors(options)
    this.embedBatchSize = 256
  }

  override getTextEmbedding(text: string): Promise<number[]> {
    return this.vectors.one(text, 'passage')
  }

  override getTextEmbeddings = async (texts: string[]): Promise<number[][]> =>
    (await this.vectors.of(texts, 'passage')).vectors

  /** All texts in one call, which keeps runs full; with progress a batch at a time. */
  override async getTextEmbeddingsBatch(
    texts: string[],
    options?: BaseEmbeddingOptions,
  ): Promise<number[][]> {
    if (options?.logProgress === true || options?.progressCallback !== undefined) {
      return super.getTextEmbeddingsBatch(texts, options)
    }
    return this.getTextEmbeddings(texts)
  }

  /** The vector of a query that is a text; `null` for an image or another content, as LlamaIndex has it. */
  override async getQueryEmbedding(query: MessageContentDetail): Promise<number[] | null> {
    return query.type === 'text' ? this.vectors.one(query.text, 'query') : null
  }

  /** Frees the model, unless it was given. */
  close(): Promise<void> {
    return this.vectors.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
