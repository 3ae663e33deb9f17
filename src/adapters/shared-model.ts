/**
 * What adapters share: a model that is given or loaded at the first use, and vectors as the arrays of numbers that frameworks want.
 *
 * State is kept in closures, and adapters hold it in ordinary properties. Frameworks wrap what they are given in a `Proxy` (AI SDK 7, Vue,
 * tracing libraries) or copy its properties; a `#private` field is on neither, and reading one there throws a TypeError.
 */

import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TextEmbedding, type TextEmbeddingOptions } from '../../index.js'
import { isUrl } from '../base/foreign.js'
import { DEFAULT_TEXT_MODEL } from '../models/registries.js'

/** Options of every adapter of dense text: those of `TextEmbedding.create`, or a model that is there. */
export interface AdapterOptions extends TextEmbeddingOptions<'float32', 'throw'> {
  /** A model that is there; the other options do not count then, and it is not closed. */
  embedding?: TextEmbedding | undefined
}

/** What a text is to a search. */
export type AdapterRole = 'text' | 'query' | 'passage'

/** A model that is loaded once, at its first use; a load that failed is not remembered. */
export interface SharedModel<M> {
  get(): Promise<M>
  /** Closes the model if it was loaded here. It is loaded again when it is used again. */
  close(): Promise<void>
}

/** The model that is given, or else the one that `load` loads. */
export function sharedModel<M extends { close(): Promise<void> }>(
  given: M | undefined,
  load: () => Promise<M>,
): SharedModel<M> {
  let loading: Promise<M> | undefined
  return {
    get() {
      if (given !== undefined) return Promise.resolve(given)
      loading ??= load().catch((error: unknown) => {
        loading = undefined
        throw error
      })
      return loading
    },
    async close() {
      const loaded = loading
      loading = undefined
      await (await loaded?.catch(() => undefined))?.close()
    },
  }
}

/** Vectors of some texts, in order, with their tokens together. */
export interface Embedded {
  vectors: number[][]
  tokens: number
}

/** Dense vectors of a model. */
export interface DenseVectors extends SharedModel<TextEmbedding> {
  of(texts: readonly string[], role: AdapterRole, signal?: AbortSignal): Promise<Embedded>
  /** The vector of one text. */
  one(text: string, role: AdapterRole): Promise<number[]>
}

/** Frameworks say what is a query and what a document, so the model's own prompts are written unless the options say otherwise. */
export function denseVectors({ embedding, ...options }: AdapterOptions = {}): DenseVectors {
  const shared = sharedModel<TextEmbedding>(embedding, () =>
    TextEmbedding.create<'float32', 'throw'>({ prompts: 'auto', ...options }),
  )
  const of = async (texts: readonly string[], role: AdapterRole, signal?: AbortSignal): Promise<Embedded> => {
    const model = await shared.get()
    const call = { dtype: 'float32', errors: 'throw', ...(signal !== undefined && { signal }) } as const
    const stream =
      role === 'query'
        ? model.queryEmbed(texts, call)
        : role === 'passage'
          ? model.passageEmbed(texts, call)
          : model.embed(texts, call)
    const vectors: number[][] = []
    let tokens = 0
    for await (const batch of stream) {
      for (let i = 0; i < batch.length; i++) {
        vectors[batch.indexOf(i)] = Array.from(batch.row(i))
        tokens += batch.tokens[i] ?? 0
      }
    }
    return { vectors, tokens }
  }
  return { ...shared, of, one: async (text, role) => (await of([text], role)).vectors[0] as number[] }
}

/** What decides which model an adapter has. */
export interface ModelChoice {
  embedding?: { model: string } | undefined
  model?: string | undefined
  modelPath?: string | URL | undefined
}

/**
 * The name of the model that such options load, before it is loaded. What is kept with an index names it even where the user named
 * none: a later version may have another default, of as many dimensions, and its vectors would mean nothing beside the old ones.
 */
export function modelName(
  { embedding, model, modelPath }: ModelChoice,
  defaultModel: string = DEFAULT_TEXT_MODEL,
): string {
  if (embedding !== undefined) return embedding.model
  if (model !== undefined) return model
  if (modelPath === undefined) return defaultModel
  return basename(resolve(isUrl(modelPath) ? fileURLToPath(modelPath.href) : modelPath))
}

/**
 * The options that were kept with an index. Version 0.1.0 kept no name where the user named none; `unnamed` is what was the default
 * then, and stays what such an index has.
 */
export function keptOptions<O extends ModelChoice>(kept: O, unnamed: string): O {
  return kept.model === undefined && kept.modelPath === undefined ? { ...kept, model: unnamed } : kept
}

/** The default models of version 0.1.0; see {@link keptOptions}. */
export const FIRST_TEXT_MODEL = 'sentence-transformers/all-MiniLM-L6-v2'
export const FIRST_SPARSE_MODEL = 'Qdrant/bm25'
