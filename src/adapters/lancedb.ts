/**
 * LanceDB: an embedding function, in its registry as `millrace`, so that tables embed what is added and what is searched. Exported as
 * `millrace/lancedb`; needs @lancedb/lancedb. To write vectors that a pipeline made there is `lanceDbSink`.
 */

import { embedding } from '@lancedb/lancedb'
import { MillraceError } from '../../index.js'
import { type AdapterOptions, DenseVectors } from './shared-model.js'

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
  readonly #vectors: DenseVectors
  #dimensions: number | undefined

  constructor(given: MillraceFunctionOptions = {}) {
    super()
    const options = this.resolveVariables(given) as MillraceFunctionOptions
    this.#vectors = new DenseVectors(options as AdapterOptions)
    this.#dimensions = options.dimensions
  }

  /** Loads the model; LanceDB calls it before anything else. */
  override async init(): Promise<void> {
    const { dim } = await (await this.#vectors.get()).info()
    this.#dimensions ??= dim
  }

  override ndims(): number {
    if (this.#dimensions !== undefined) return this.#dimensions
    throw new MillraceError(
      'INVALID_OPTION',
      'Expected `init` to be called before `ndims`, or dimensions in the options',
    )
  }

  override async generateEmbeddings(texts: string[]): Promise<number[][]> {
    return (await this.#vectors.of(texts, 'passage')).vectors
  }

  override computeQueryEmbeddings(data: string): Promise<number[]> {
    return this.#vectors.one(data, 'query')
  }

  /** Frees the model. */
  close(): Promise<void> {
    return this.#vectors.close()
  }
}

const registry = embedding.getRegistry()
// Both builds of this package may be loaded; the registry knows one of them.
if (registry.get('millrace') === undefined) registry.register('millrace')(MillraceFunction)
