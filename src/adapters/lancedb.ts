/**
 * LanceDB: an embedding function, in its registry as `millrace`, so that tables embed what is added and what is searched. Exported as
 * `millrace/lancedb`; needs @lancedb/lancedb. To write vectors that a pipeline made there is `lanceDbSink`.
 */

import { embedding } from '@lancedb/lancedb'
import { MillraceError } from '../../index.js'
import {
  type AdapterOptions,
  type DenseVectors,
  denseVectors,
  FIRST_TEXT_MODEL,
  keptOptions,
  modelName,
} from './shared-model.js'

/** Options of {@link MillraceFunction}: what LanceDB keeps with the table is what they are as JSON. */
export interface MillraceFunctionOptions
  extends Pick<
    AdapterOptions,
    | 'model'
    | 'modelFile'
    | 'cacheDir'
    | 'maxLength'
    | 'pooling'
    | 'normalize'
    | 'outputName'
    | 'prompts'
    | 'dimensions'
    | 'taskId'
  > {
  modelPath?: string | undefined
  /** Values of a vector. Kept with a table, and compared with the model's when the table is opened; not for callers. */
  dim?: number | undefined
}

/**
 * Makes the vectors of a table's column. The model is loaded by `create`; its own prompts are written before queries and texts, unless
 * `prompts` says otherwise.
 *
 * @example
 * import 'millrace/lancedb'
 * const func = await embedding.getRegistry().get('millrace').create({ model: 'BAAI/bge-small-en-v1.5' })
 * const schema = LanceSchema({ text: func.sourceField(), vector: func.vectorField() })
 */
export class MillraceFunction extends embedding.TextEmbeddingFunction<MillraceFunctionOptions> {
  private readonly options: MillraceFunctionOptions
  private readonly vectors: DenseVectors
  private dim: number | undefined

  constructor(given: MillraceFunctionOptions = {}) {
    super()
    this.options = keptOptions(given, FIRST_TEXT_MODEL)
    const { dim, ...options } = this.resolveVariables(this.options) as MillraceFunctionOptions
    this.vectors = denseVectors(options as AdapterOptions)
    this.dim = options.dimensions ?? dim
  }

  /** Loads the model; LanceDB calls it before anything else. Throws MODEL_INVALID when the table was made with vectors of another length. */
  override async init(): Promise<void> {
    const { model, dim = 0 } = await (await this.vectors.get()).info()
    const made = Math.min(dim, this.options.dimensions ?? dim)
    if (this.dim !== undefined && this.dim !== made) {
      throw new MillraceError(
        'MODEL_INVALID',
        `Expected vectors of ${this.dim} dimensions, as the table has, but the model ${model} makes ${made}`,
      )
    }
    this.dim = made
  }

  /** What LanceDB keeps with a table: the options as they were given, with the name of the model. */
  override toJSON(): Record<string, unknown> {
    const kept = {
      ...this.options,
      model: modelName(this.options),
      ...(this.dim !== undefined && { dim: this.dim }),
    }
    return JSON.parse(JSON.stringify(kept)) as Record<string, unknown>
  }

  override ndims(): number {
    if (this.dim !== undefined) return this.dim
    throw new MillraceError(
      'INVALID_OPTION',
      'Expected `init` to be called before `ndims`, or dimensions in the options',
    )
  }

  /** A vector for each text, and none where there is no text: a `null` in a column must not keep the other rows from being added. */
  override async computeSourceEmbeddings(data: string[]): Promise<number[][]> {
    const values: (string | null | undefined)[] = [...data]
    const vectors = await this.generateEmbeddings(values.filter((text) => typeof text === 'string'))
    let next = 0
    return values.map((text) => (typeof text === 'string' ? vectors[next++] : null) as number[])
  }

  override async generateEmbeddings(texts: string[]): Promise<number[][]> {
    return (await this.vectors.of(texts, 'passage')).vectors
  }

  override computeQueryEmbeddings(data: string): Promise<number[]> {
    return this.vectors.one(data, 'query')
  }

  /** Frees the model. */
  close(): Promise<void> {
    return this.vectors.close()
  }
}

const registry = embedding.getRegistry()
// Both builds of this package may be loaded; the registry knows one of them.
if (registry.get('millrace') === undefined) registry.register('millrace')(MillraceFunction)
