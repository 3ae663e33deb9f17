/** The public class for sparse text vectors. It checks, names and wires; the work is in `stream/` and the addon. */

import { type SparseBatch, SparseMatrix, type SparseVector, sparseFromNative } from '../batches/sparse.js'
import type { NativeJob, NativeModel } from '../binding/types.js'
import type { LoadedModel } from '../loading/loaded-model.js'
import { type CustomModel, type CustomSparseSettings, customSparse } from '../models/custom.js'
import type { ModelDescription } from '../models/describe.js'
import { DEFAULT_SPARSE_MODEL, sparseModels } from '../models/registries.js'
import { type ErrorMode, parseCall, QUERY_PRIORITY, type RowOr } from '../options/call.js'
import type { Checked } from '../options/check.js'
import type { SparseCallDefaults, SparseEmbedOptions, SparseTextEmbeddingOptions } from '../options/sparse.js'
import {
  nativeBm25,
  sparseDefaultChecks,
  sparseEmbedChecks,
  sparseModelChecks,
  splitBm25,
} from '../options/sparse.js'
import type { EmbeddingStream } from '../stream/embedding-stream.js'
import { texts } from '../stream/items.js'
import { openStream } from '../stream/open-stream.js'
import type { TextSource } from '../stream/source.js'
import { BaseModel } from './base-model.js'
import { Family } from './family.js'
import { learnStems, type Stemmer } from './stemming.js'
import { countTokens } from './token-count.js'

/** The stream of sparse text vectors. */
export type SparseEmbeddingStream<E extends ErrorMode> = EmbeddingStream<SparseBatch, RowOr<SparseVector, E>>

const SPARSE_TEXT = new Family<SparseTextEmbeddingOptions, SparseCallDefaults, CustomSparseSettings>({
  className: 'SparseTextEmbedding',
  native: 'sparse',
  registry: sparseModels,
  defaultModel: DEFAULT_SPARSE_MODEL,
  defaultChecks: sparseDefaultChecks,
  checks: { ...sparseDefaultChecks, ...sparseModelChecks },
  custom: customSparse,
})

/**
 * Turns texts into sparse vectors: BM25 (no model files at all), SPLADE++, inference-free SPLADE, BM42, miniCOIL.
 *
 * Weights of BM25 and miniCOIL documents lack the inverse document frequency: the index multiplies it in (in Qdrant the
 * modifier `idf`).
 *
 * @example
 * const model = await SparseTextEmbedding.create({ model: 'Qdrant/bm25', language: 'german' })
 * const [query] = await model.queryEmbed('Mühlgraben').toArray()
 */
export class SparseTextEmbedding<E extends ErrorMode = 'throw'> extends BaseModel {
  readonly #defaults: Checked<SparseCallDefaults>
  readonly #stemmer: Stemmer | undefined

  private constructor(
    name: string,
    loaded: LoadedModel,
    defaults: Checked<SparseCallDefaults>,
    stemmer: Stemmer | undefined,
  ) {
    super(name, loaded, defaults)
    this.#defaults = defaults
    this.#stemmer = stemmer
  }

  /**
   * Loads a model: without options BM25 for English, which needs no files and no network.
   *
   * @throws MillraceError INVALID_OPTION, MODEL_NOT_FOUND, MODEL_INVALID, DOWNLOAD_FAILED, OFFLINE, RUNTIME_NOT_FOUND,
   * RUNTIME_INCOMPATIBLE, DEVICE_UNAVAILABLE. With `lazyLoad`, what loading finds comes with the first use.
   */
  static async create<E extends ErrorMode = 'throw'>(
    options?: SparseTextEmbeddingOptions<E>,
  ): Promise<SparseTextEmbedding<E>> {
    const { model, calls } = SPARSE_TEXT.parse(options)
    const { bm25, rest } = splitBm25(model)
    const chosen = { ...rest, ...nativeBm25(bm25) }
    const { name, loaded } = await SPARSE_TEXT.open(chosen)
    return new SparseTextEmbedding<E>(name, loaded, calls, bm25.stemmer)
  }

  /** The models that can be named: the supported ones and those registered in this process. */
  static listSupportedModels(): ModelDescription[] {
    return SPARSE_TEXT.list()
  }

  /**
   * Registers a model under a name, for this process.
   *
   * @throws MillraceError INVALID_OPTION, also when the name is taken.
   */
  static addCustomModel(definition: CustomModel<CustomSparseSettings>): void {
    SPARSE_TEXT.add(definition)
  }

  /**
   * Vectors of documents, as a stream: output `i` belongs to input `i`. Nothing starts before it is read.
   *
   * @throws MillraceError INVALID_OPTION, or INPUT_INVALID when `source` is no source; the rest comes with reading.
   */
  embed<CE extends ErrorMode = E>(
    source: TextSource,
    options?: SparseEmbedOptions<CE>,
  ): SparseEmbeddingStream<NoInfer<CE>> {
    return this.#stream('embed', source, 'document', options)
  }

  /** Vectors of queries, ahead of bulk work. BM25, BM42 and inference-free SPLADE weigh queries in their own way. */
  queryEmbed<CE extends ErrorMode = E>(
    source: TextSource,
    options?: SparseEmbedOptions<CE>,
  ): SparseEmbeddingStream<NoInfer<CE>> {
    return this.#stream('queryEmbed', source, 'query', options)
  }

  /** As `embed`. */
  passageEmbed<CE extends ErrorMode = E>(
    source: TextSource,
    options?: SparseEmbedOptions<CE>,
  ): SparseEmbeddingStream<NoInfer<CE>> {
    return this.#stream('passageEmbed', source, 'document', options)
  }

  /**
   * Tokens of the texts together, special tokens included, cut at the limit; for BM25 all words, stop words too.
   *
   * @throws MillraceError INPUT_INVALID with the item's index, INVALID_OPTION, CLOSED; or what the source throws.
   */
  async tokenCount(source: TextSource, options?: { maxLength?: number | undefined }): Promise<number> {
    return countTokens(() => this.loaded.get(), source, options)
  }

  #stream<CE extends ErrorMode>(
    where: string,
    source: TextSource,
    role: 'document' | 'query',
    options: unknown,
  ): SparseEmbeddingStream<CE> {
    const basePriority = role === 'query' ? QUERY_PRIORITY : 0
    const call = parseCall<SparseEmbedOptions>(
      where,
      options,
      sparseEmbedChecks,
      this.#defaults,
      basePriority,
    )
    const stemmer = this.#stemmer
    let model: NativeModel | undefined
    const push = (job: NativeJob, items: string[]): number => {
      if (stemmer !== undefined && model !== undefined) learnStems(model, items, stemmer)
      return texts.push(job, items)
    }
    return openStream({
      loaded: this.loaded,
      source,
      kind: { ...texts, push },
      call,
      prepare(native) {
        model = native
        return { ...call.job, role }
      },
      decode: sparseFromNative,
      collector: () => new SparseMatrix(),
    })
  }
}
