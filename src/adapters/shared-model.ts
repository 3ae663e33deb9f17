/** What adapters share: a model that is given or loaded at the first use, and vectors as the arrays of numbers that frameworks want. */

import { TextEmbedding, type TextEmbeddingOptions } from '../../index.js'

/** Options of every adapter of dense text: those of `TextEmbedding.create`, or a model that is there. */
export interface AdapterOptions extends TextEmbeddingOptions<'float32', 'throw'> {
  /** A model that is there; the other options do not count then, and it is not closed. */
  embedding?: TextEmbedding | undefined
}

/** What a text is to a search. */
export type AdapterRole = 'text' | 'query' | 'passage'

/** A model that is loaded once, at its first use; a load that failed is not remembered. */
export class SharedModel<M extends { close(): Promise<void> }> {
  readonly #given: M | undefined
  readonly #load: () => Promise<M>
  #loading: Promise<M> | undefined

  constructor(given: M | undefined, load: () => Promise<M>) {
    this.#given = given
    this.#load = load
  }

  get(): Promise<M> {
    if (this.#given !== undefined) return Promise.resolve(this.#given)
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined
      throw error
    })
    return this.#loading
  }

  /** Closes the model if it was loaded here. It is loaded again when it is used again. */
  async close(): Promise<void> {
    const loading = this.#loading
    this.#loading = undefined
    await (await loading?.catch(() => undefined))?.close()
  }
}

/** Dense vectors of a model. */
export class DenseVectors {
  readonly #model: SharedModel<TextEmbedding>

  /** Frameworks say what is a query and what a document, so the model's own prompts are written unless the options say otherwise. */
  constructor({ embedding, ...options }: AdapterOptions = {}) {
    this.#model = new SharedModel<TextEmbedding>(embedding, () =>
      TextEmbedding.create<'float32', 'throw'>({ prompts: 'auto', ...options }),
    )
  }

  /** The model, loaded. */
  get(): Promise<TextEmbedding> {
    return this.#model.get()
  }

  /** A vector for each text, in order, with their tokens together. */
  async of(
    texts: readonly string[],
    role: AdapterRole,
    signal?: AbortSignal,
  ): Promise<{ vectors: number[][]; tokens: number }> {
    const model = await this.#model.get()
    const options = { dtype: 'float32', errors: 'throw', ...(signal !== undefined && { signal }) } as const
    const stream =
      role === 'query'
        ? model.queryEmbed(texts, options)
        : role === 'passage'
          ? model.passageEmbed(texts, options)
          : model.embed(texts, options)
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

  /** The vector of one text. */
  async one(text: string, role: AdapterRole): Promise<number[]> {
    const { vectors } = await this.of([text], role)
    return vectors[0] as number[]
  }

  close(): Promise<void> {
    return this.#model.close()
  }
}
