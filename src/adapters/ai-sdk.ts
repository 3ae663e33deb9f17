/**
 * Vercel's AI SDK: embedding and reranking models. Exported as `millrace/ai-sdk`; needs @ai-sdk/provider 3 or 4, which `ai` 6 and 7 bring. The
 * models follow specification v3, which both know; `ai` 7 wraps such models in a `Proxy`, so they are plain objects over closures.
 */

import {
  type EmbeddingModelV3,
  type EmbeddingModelV3CallOptions,
  type EmbeddingModelV3Result,
  NoSuchModelError,
  type ProviderV3,
  type RerankingModelV3,
  type RerankingModelV3CallOptions,
} from '@ai-sdk/provider'
import { TextCrossEncoder, type TextCrossEncoderOptions } from '../../index.js'
import { invalidOption } from '../base/errors.js'
import {
  type AdapterOptions,
  type AdapterRole,
  type DenseVectors,
  denseVectors,
  type SharedModel,
  sharedModel,
} from './shared-model.js'

export type { AdapterOptions }

/** Options of {@link createMillrace}. */
export interface MillraceProviderOptions {
  /** Options of every embedding model. */
  embedding?: Omit<AdapterOptions, 'model' | 'embedding'> | undefined
  /** Options of every reranking model. */
  reranking?: Omit<TextCrossEncoderOptions<'throw'>, 'model'> | undefined
}

/** What `providerOptions.millrace` of a call on embeddings may say. */
export interface MillraceCallOptions {
  /** What the values are to a search: the model's own prompt for it is written before them. @default 'text', no prompt */
  role?: AdapterRole
}

/** The provider, with an end: its models are loaded at their first use and shared. */
export interface MillraceProvider extends ProviderV3 {
  embeddingModel(modelId: string): EmbeddingModelV3
  textEmbeddingModel(modelId: string): EmbeddingModelV3
  rerankingModel(modelId: string): RerankingModelV3
  /** Frees all models. */
  close(): Promise<void>
}

const PROVIDER = 'millrace'
const ROLES: readonly unknown[] = ['text', 'query', 'passage']

/**
 * Embedding and reranking models on this machine, by the names that `TextEmbedding` and `TextCrossEncoder` know.
 *
 * @example
 * const provider = createMillrace()
 * const { embeddings } = await embedMany({
 *   model: provider.embeddingModel('BAAI/bge-small-en-v1.5'),
 *   values,
 *   providerOptions: { millrace: { role: 'passage' } },
 * })
 */
export function createMillrace(options: MillraceProviderOptions = {}): MillraceProvider {
  const dense = new Map<string, DenseVectors>()
  const rerankers = new Map<string, SharedModel<TextCrossEncoder>>()
  const embeddingModel = (modelId: string): EmbeddingModelV3 => {
    const vectors = dense.get(modelId) ?? denseVectors({ ...options.embedding, model: modelId })
    dense.set(modelId, vectors)
    return embeddingModelOver(modelId, vectors)
  }
  const refuse =
    (modelType: 'languageModel' | 'imageModel') =>
    (modelId: string): never => {
      throw new NoSuchModelError({ modelId, modelType })
    }
  return {
    specificationVersion: 'v3',
    embeddingModel,
    textEmbeddingModel: embeddingModel,
    rerankingModel(modelId) {
      const create = () =>
        TextCrossEncoder.create<'throw'>({ activation: 'sigmoid', ...options.reranking, model: modelId })
      const model = rerankers.get(modelId) ?? sharedModel<TextCrossEncoder>(undefined, create)
      rerankers.set(modelId, model)
      return rerankingModelOver(modelId, model)
    },
    languageModel: refuse('languageModel'),
    imageModel: refuse('imageModel'),
    async close() {
      await Promise.all([...dense.values(), ...rerankers.values()].map((model) => model.close()))
    },
  }
}

/** A provider with the defaults, for those who need no end. */
export const millrace: MillraceProvider = createMillrace()

function embeddingModelOver(modelId: string, vectors: DenseVectors): EmbeddingModelV3 {
  return {
    specificationVersion: 'v3',
    provider: PROVIDER,
    modelId,
    // One call takes everything: it is streamed through the model inside.
    maxEmbeddingsPerCall: Number.POSITIVE_INFINITY,
    supportsParallelCalls: true,
    async doEmbed({
      values,
      abortSignal,
      providerOptions,
    }: EmbeddingModelV3CallOptions): Promise<EmbeddingModelV3Result> {
      const role = providerOptions?.[PROVIDER]?.['role'] ?? 'text'
      if (!ROLES.includes(role)) throw invalidOption('role', "one of 'text', 'query', 'passage'", role)
      const { vectors: embeddings, tokens } = await vectors.of(values, role as AdapterRole, abortSignal)
      return { embeddings, usage: { tokens }, warnings: [] }
    },
  }
}

function rerankingModelOver(modelId: string, shared: SharedModel<TextCrossEncoder>): RerankingModelV3 {
  return {
    specificationVersion: 'v3',
    provider: PROVIDER,
    modelId,
    async doRerank({ documents, query, topN, abortSignal }: RerankingModelV3CallOptions) {
      const { values } = documents
      const texts = values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
      if (texts.length === 0) return { ranking: [] }
      const model = await shared.get()
      const best = await model.rerank(query, texts, {
        topN: Math.min(topN ?? texts.length, texts.length),
        ...(abortSignal !== undefined && { signal: abortSignal }),
      })
      return { ranking: best.map(({ index, score }) => ({ index, relevanceScore: score })) }
    },
  }
}
