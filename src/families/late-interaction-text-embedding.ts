/** The public class for late-interaction text vectors. It checks, names and wires; the work is in `stream/` and the addon. */

import type { LoadedModel } from '../loading/loaded-model.js'
import { type CustomLateSettings, type CustomModel, customLate } from '../models/custom.js'
import type { ModelDescription } from '../models/describe.js'
import { DEFAULT_LATE_MODEL, lateInteractionModels } from '../models/registries.js'
import { type ErrorMode, parseCall, QUERY_PRIORITY } from '../options/call.js'
import type { Checked } from '../options/check.js'
import type {
  LateCallDefaults,
  LateEmbedOptions,
  LateInteractionTextEmbeddingOptions,
} from '../options/late-interaction.js'
import { lateDefaultChecks, lateEmbedChecks, lateModelChecks } from '../options/late-interaction.js'
import { texts } from '../stream/items.js'
import type { TextSource } from '../stream/source.js'
import { BaseModel } from './base-model.js'
import { Family } from './family.js'
import { type MultiVectorStream, openMultiVectorStream } from './multi-vector-stream.js'
import { countLateTokens, type LateTokenCountOptions } from './token-count.js'

const LATE_INTERACTION = new Family<
  LateInteractionTextEmbeddingOptions,
  LateCallDefaults,
  CustomLateSettings
>({
  className: 'LateInteractionTextEmbedding',
  native: 'late',
  registry: lateInteractionModels,
  defaultModel: DEFAULT_LATE_MODEL,
  defaultChecks: lateDefaultChecks,
  checks: { ...lateDefaultChecks, ...lateModelChecks },
  custom: customLate,
})

/**
 * Turns texts into a vector for each of their tokens, for indexes that compare them late (ColBERT's MaxSim).
 *
 * @example
 * const model = await LateInteractionTextEmbedding.create({ model: 'answerdotai/answerai-colbert-small-v1' })
 * const [query] = await model.queryEmbed('how do I resize a partition?').toArray() // 32 vectors
 */
export class LateInteractionTextEmbedding<E extends ErrorMode = 'throw'> extends BaseModel {
  readonly #defaults: Checked<LateCallDefaults>

  private constructor(name: string, loaded: LoadedModel, defaults: Checked<LateCallDefaults>) {
    super(name, loaded, defaults)
    this.#defaults = defaults
  }

  /**
   * Loads a model: without options ColBERT v2.
   *
   * @throws MillraceError INVALID_OPTION, MODEL_NOT_FOUND, MODEL_INVALID, DOWNLOAD_FAILED, OFFLINE, RUNTIME_NOT_FOUND,
   * RUNTIME_INCOMPATIBLE, DEVICE_UNAVAILABLE. With `lazyLoad`, what loading finds comes with the first use.
   */
  static async create<E extends ErrorMode = 'throw'>(
    options?: LateInteractionTextEmbeddingOptions<E>,
  ): Promise<LateInteractionTextEmbedding<E>> {
    const { name, loaded, calls } = await LATE_INTERACTION.create(options)
    return new LateInteractionTextEmbedding<E>(name, loaded, calls)
  }

  /** The models that can be named: the supported ones and those registered in this process. */
  static listSupportedModels(): ModelDescription[] {
    return LATE_INTERACTION.list()
  }

  /**
   * Registers a model under a name, for this process.
   *
   * @throws MillraceError INVALID_OPTION, also when the name is taken.
   */
  static addCustomModel(definition: CustomModel<CustomLateSettings>): void {
    LATE_INTERACTION.add(definition)
  }

  /**
   * Vectors of documents, as a stream: output `i` belongs to input `i`. Nothing starts before it is read.
   *
   * @throws MillraceError INVALID_OPTION, or INPUT_INVALID when `source` is no source; the rest comes with reading.
   */
  embed<CE extends ErrorMode = E>(
    source: TextSource,
    options?: LateEmbedOptions<CE>,
  ): MultiVectorStream<NoInfer<CE>> {
    return this.#stream('embed', source, 'document', options)
  }

  /** Vectors of queries, ahead of bulk work. Short ones are filled up to 32 vectors where the model was trained so. */
  queryEmbed<CE extends ErrorMode = E>(
    source: TextSource,
    options?: LateEmbedOptions<CE>,
  ): MultiVectorStream<NoInfer<CE>> {
    return this.#stream('queryEmbed', source, 'query', options)
  }

  /** As `embed`. */
  passageEmbed<CE extends ErrorMode = E>(
    source: TextSource,
    options?: LateEmbedOptions<CE>,
  ): MultiVectorStream<NoInfer<CE>> {
    return this.#stream('passageEmbed', source, 'document', options)
  }

  /**
   * Tokens of the texts together, special tokens included, cut at the limit.
   *
   * @throws MillraceError INPUT_INVALID with the item's index, INVALID_OPTION, CLOSED; or what the source throws.
   */
  async tokenCount(source: TextSource, options?: LateTokenCountOptions): Promise<number> {
    return countLateTokens(() => this.loaded.get(), source, options)
  }

  #stream<CE extends ErrorMode>(
    where: string,
    source: TextSource,
    role: 'document' | 'query',
    options: unknown,
  ): MultiVectorStream<CE> {
    const basePriority = role === 'query' ? QUERY_PRIORITY : 0
    const call = parseCall<LateEmbedOptions>(where, options, lateEmbedChecks, this.#defaults, basePriority)
    return openMultiVectorStream(this.loaded, source, texts, call, { ...call.job, role })
  }
}
