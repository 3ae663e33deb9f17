/** Chroma: dense and sparse embedding functions, known to its client as `millrace`. Exported as `millrace/chroma`; needs chromadb. */

import {
  type EmbeddingFunction,
  type EmbeddingFunctionSpace,
  knownEmbeddingFunctions,
  knownSparseEmbeddingFunctions,
  registerEmbeddingFunction,
  registerSparseEmbeddingFunction,
  type SparseEmbeddingFunction,
  type SparseVector,
} from 'chromadb'
import { MillraceError, SparseTextEmbedding, type SparseTextEmbeddingOptions } from '../../index.js'
import { isUrl } from '../base/foreign.js'
import { DEFAULT_SPARSE_MODEL } from '../models/registries.js'
import {
  type AdapterOptions,
  type DenseVectors,
  denseVectors,
  FIRST_SPARSE_MODEL,
  FIRST_TEXT_MODEL,
  keptOptions,
  modelName,
  type SharedModel,
  sharedModel,
} from './shared-model.js'

export type { AdapterOptions }

/** Names that Chroma keeps with a collection. */
const DENSE_NAME = 'millrace'
const SPARSE_NAME = 'millrace_sparse'

/** What of the options says which vectors there will be; the rest is of this machine. */
const KEPT = [
  'model',
  'modelPath',
  'modelFile',
  'maxLength',
  'pooling',
  'normalize',
  'outputName',
  'prompts',
  'dimensions',
  'taskId',
]
const KEPT_SPARSE = [
  'model',
  'modelPath',
  'language',
  'k',
  'b',
  'avgLen',
  'tokenMaxLength',
  'disableStemmer',
  'alpha',
  'maxLength',
]

type Config = Record<string, unknown>

function configOf(options: object, kept: readonly string[]): Config {
  const entries = Object.entries(options).filter(
    ([name, value]) => kept.includes(name) && value !== undefined,
  )
  return Object.fromEntries(entries.map(([name, value]) => [name, isUrl(value) ? value.href : value]))
}

/** Vectors of another model would not fit those that are there. */
function refuseChange(before: Config, after: Config, kept: readonly string[]): void {
  const changed = kept.find((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
  if (changed === undefined) return
  throw new MillraceError(
    'INVALID_OPTION',
    `Expected the ${changed} that the collection was made with but received another`,
  )
}

/**
 * An embedding function for collections of Chroma. The model is loaded at the first use; its own prompts are written before queries and
 * documents, unless `prompts` says otherwise. With this module imported, a client finds it again by its name.
 *
 * @example
 * await client.createCollection({ name: 'docs', embeddingFunction: new MillraceEmbeddingFunction({ model: 'BAAI/bge-small-en-v1.5' }) })
 */
export class MillraceEmbeddingFunction implements EmbeddingFunction {
  readonly name = DENSE_NAME
  private readonly config: Config
  private readonly vectors: DenseVectors

  constructor(options: AdapterOptions = {}) {
    this.config = configOf({ ...options, model: modelName(options) }, KEPT)
    this.vectors = denseVectors(options)
  }

  async generate(texts: string[]): Promise<number[][]> {
    return (await this.vectors.of(texts, 'passage')).vectors
  }

  async generateForQueries(texts: string[]): Promise<number[][]> {
    return (await this.vectors.of(texts, 'query')).vectors
  }

  defaultSpace(): EmbeddingFunctionSpace {
    return 'cosine'
  }

  supportedSpaces(): EmbeddingFunctionSpace[] {
    return ['cosine', 'l2', 'ip']
  }

  getConfig(): Record<string, unknown> {
    return { ...this.config }
  }

  static buildFromConfig(config: Record<string, unknown>): MillraceEmbeddingFunction {
    return new MillraceEmbeddingFunction(keptOptions(configOf(config, KEPT), FIRST_TEXT_MODEL))
  }

  validateConfigUpdate(newConfig: Record<string, unknown>): void {
    refuseChange(this.getConfig(), newConfig, KEPT)
  }

  /** Frees the model, unless it was given. */
  close(): Promise<void> {
    return this.vectors.close()
  }
}

/** Options of {@link MillraceSparseEmbeddingFunction}. */
export interface SparseFunctionOptions extends SparseTextEmbeddingOptions<'throw'> {
  /** A model that is there; the other options do not count then, and it is not closed. */
  embedding?: SparseTextEmbedding | undefined
}

/** A sparse embedding function for Chroma: BM25 unless another model is named. */
export class MillraceSparseEmbeddingFunction implements SparseEmbeddingFunction {
  readonly name = SPARSE_NAME
  private readonly config: Config
  private readonly shared: SharedModel<SparseTextEmbedding>

  constructor({ embedding, ...options }: SparseFunctionOptions = {}) {
    const model = modelName({ embedding, ...options }, DEFAULT_SPARSE_MODEL)
    this.config = configOf({ ...options, model }, KEPT_SPARSE)
    this.shared = sharedModel<SparseTextEmbedding>(embedding, () =>
      SparseTextEmbedding.create<'throw'>(options),
    )
  }

  async generate(texts: string[]): Promise<SparseVector[]> {
    const model = await this.shared.get()
    return (await model.passageEmbed(texts, { errors: 'throw' }).toArray()).map(sorted)
  }

  async generateForQueries(texts: string[]): Promise<SparseVector[]> {
    const model = await this.shared.get()
    return (await model.queryEmbed(texts, { errors: 'throw' }).toArray()).map(sorted)
  }

  getConfig(): Record<string, unknown> {
    return { ...this.config }
  }

  static buildFromConfig(config: Record<string, unknown>): MillraceSparseEmbeddingFunction {
    return new MillraceSparseEmbeddingFunction(keptOptions(configOf(config, KEPT_SPARSE), FIRST_SPARSE_MODEL))
  }

  validateConfigUpdate(newConfig: Record<string, unknown>): void {
    refuseChange(this.getConfig(), newConfig, KEPT_SPARSE)
  }

  /** Frees the model, unless it was given. */
  close(): Promise<void> {
    return this.shared.close()
  }
}

/** Chroma takes indices in ascending order only; words come in the order of their appearance. */
function sorted({ indices, values }: { indices: Uint32Array; values: Float32Array }): SparseVector {
  const order = [...indices.keys()].sort((a, b) => (indices[a] ?? 0) - (indices[b] ?? 0))
  return { indices: order.map((i) => indices[i] ?? 0), values: order.map((i) => values[i] ?? 0) }
}

// Both builds of this package may be loaded; the client knows one of them.
if (!knownEmbeddingFunctions.has(DENSE_NAME)) registerEmbeddingFunction(DENSE_NAME, MillraceEmbeddingFunction)
if (!knownSparseEmbeddingFunctions.has(SPARSE_NAME)) {
  registerSparseEmbeddingFunction(SPARSE_NAME, MillraceSparseEmbeddingFunction)
}
