/** The public class for late interaction between texts and images. It checks, names and wires. */

import type { LoadedModel } from '../loading/loaded-model.js'
import { type CustomModel, type CustomMultimodalSettings, customMultimodal } from '../models/custom.js'
import type { ModelDescription } from '../models/describe.js'
import { DEFAULT_MULTIMODAL_MODEL, multimodalModels } from '../models/registries.js'
import { type Call, type ErrorMode, parseCall, QUERY_PRIORITY } from '../options/call.js'
import type { Checked, Checks } from '../options/check.js'
import type {
  LateInteractionMultimodalEmbeddingOptions,
  MultimodalCallDefaults,
  MultimodalImageOptions,
  MultimodalTextOptions,
} from '../options/late-interaction.js'
import {
  multimodalDefaultChecks,
  multimodalImageChecks,
  multimodalModelChecks,
  multimodalTextChecks,
} from '../options/late-interaction.js'
import { imageItems } from '../stream/image-items.js'
import { texts } from '../stream/items.js'
import type { ImageSource, TextSource } from '../stream/source.js'
import { BaseModel } from './base-model.js'
import { Family } from './family.js'
import { type MultiVectorStream, openMultiVectorStream } from './multi-vector-stream.js'
import { countLateTokens, type LateTokenCountOptions } from './token-count.js'

const MULTIMODAL = new Family<
  LateInteractionMultimodalEmbeddingOptions,
  MultimodalCallDefaults,
  CustomMultimodalSettings
>({
  className: 'LateInteractionMultimodalEmbedding',
  native: 'multimodal',
  registry: multimodalModels,
  defaultModel: DEFAULT_MULTIMODAL_MODEL,
  defaultChecks: multimodalDefaultChecks,
  checks: { ...multimodalDefaultChecks, ...multimodalModelChecks },
  custom: customMultimodal,
})

/**
 * Turns texts and images into a vector for each token or patch, to find pages by what they look like: ColPali,
 * ColModernVBERT.
 *
 * @example
 * const model = await LateInteractionMultimodalEmbedding.create({ model: 'Qdrant/colmodernvbert' })
 * const [query] = await model.embedText('quarterly revenue').toArray()
 * const [page] = await model.embedImage('page-1.png').toArray()
 */
export class LateInteractionMultimodalEmbedding<E extends ErrorMode = 'throw'> extends BaseModel {
  readonly #defaults: Checked<MultimodalCallDefaults>

  private constructor(name: string, loaded: LoadedModel, defaults: Checked<MultimodalCallDefaults>) {
    super(name, loaded, defaults)
    this.#defaults = defaults
  }

  /**
   * Loads a model: without options ColModernVBERT.
   *
   * @throws MillraceError INVALID_OPTION, MODEL_NOT_FOUND, MODEL_INVALID, DOWNLOAD_FAILED, OFFLINE, RUNTIME_NOT_FOUND,
   * RUNTIME_INCOMPATIBLE, DEVICE_UNAVAILABLE. With `lazyLoad`, what loading finds comes with the first use.
   */
  static async create<E extends ErrorMode = 'throw'>(
    options?: LateInteractionMultimodalEmbeddingOptions<E>,
  ): Promise<LateInteractionMultimodalEmbedding<E>> {
    const { name, loaded, calls } = await MULTIMODAL.create(options)
    return new LateInteractionMultimodalEmbedding<E>(name, loaded, calls)
  }

  /** The models that can be named: the supported ones and those registered in this process. */
  static listSupportedModels(): ModelDescription[] {
    return MULTIMODAL.list()
  }

  /**
   * Registers a model under a name, for this process.
   *
   * @throws MillraceError INVALID_OPTION, also when the name is taken.
   */
  static addCustomModel(definition: CustomModel<CustomMultimodalSettings>): void {
    MULTIMODAL.add(definition)
  }

  /**
   * Vectors of texts, as a stream: output `i` belongs to input `i`. Texts are queries to these models, and go ahead of
   * images.
   *
   * @throws MillraceError INVALID_OPTION, or INPUT_INVALID when `source` is no source; the rest comes with reading.
   */
  embedText<CE extends ErrorMode = E>(
    source: TextSource,
    options?: MultimodalTextOptions<CE>,
  ): MultiVectorStream<NoInfer<CE>> {
    const call = this.#call('embedText', options, multimodalTextChecks, QUERY_PRIORITY)
    return openMultiVectorStream(this.loaded, source, texts, call, { ...call.job, input: 'text' })
  }

  /** Vectors of images, as a stream. A file that is no image is IMAGE_INVALID, for that item alone. */
  embedImage<CE extends ErrorMode = E>(
    source: ImageSource,
    options?: MultimodalImageOptions<CE>,
  ): MultiVectorStream<NoInfer<CE>> {
    const call = this.#call('embedImage', options, multimodalImageChecks)
    return openMultiVectorStream(this.loaded, source, imageItems(call.job.maxImageBytes), call, {
      ...call.job,
      input: 'image',
    })
  }

  /**
   * Tokens of the texts together, cut at the limit; with `includeExtension` also those that the model adds to a query.
   *
   * @throws MillraceError INPUT_INVALID with the item's index, INVALID_OPTION, CLOSED; or what the source throws.
   */
  async tokenCount(source: TextSource, options?: Omit<LateTokenCountOptions, 'isDoc'>): Promise<number> {
    return countLateTokens(() => this.loaded.get(), source, options)
  }

  /** Defaults of the other input's calls are left out. */
  #call<O extends MultimodalImageOptions>(
    where: string,
    options: unknown,
    checks: Checks<O>,
    basePriority = 0,
  ): Call<O> {
    const own = Object.entries(this.#defaults).filter(([name]) => Object.hasOwn(checks, name))
    return parseCall<O>(where, options, checks, Object.fromEntries(own) as Checked<O>, basePriority)
  }
}
