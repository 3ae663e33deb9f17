/** The public class for image vectors. It checks, names and wires; the work is in `stream/` and the addon. */

import type { DType } from '../formats/dtype.js'
import type { LoadedModel } from '../loading/loaded-model.js'
import { type CustomImageSettings, type CustomModel, customImage } from '../models/custom.js'
import type { ModelDescription } from '../models/describe.js'
import { DEFAULT_IMAGE_MODEL, imageModels } from '../models/registries.js'
import { type ErrorMode, parseCall, QUERY_PRIORITY } from '../options/call.js'
import type { Checked } from '../options/check.js'
import type { ImageDefaults, ImageEmbeddingOptions, ImageEmbedOptions } from '../options/image.js'
import { imageDefaultChecks, imageEmbedChecks, imageModelChecks } from '../options/image.js'
import { imageItems } from '../stream/image-items.js'
import type { ImageSource } from '../stream/source.js'
import { BaseModel } from './base-model.js'
import { type DenseStream, openDenseStream } from './dense-stream.js'
import { Family } from './family.js'

/** The stream of image vectors. */
export type ImageEmbeddingStream<D extends DType, E extends ErrorMode> = DenseStream<D, E>

const IMAGES = new Family<ImageEmbeddingOptions, ImageDefaults, CustomImageSettings>({
  className: 'ImageEmbedding',
  native: 'image',
  registry: imageModels,
  defaultModel: DEFAULT_IMAGE_MODEL,
  defaultChecks: imageDefaultChecks,
  checks: { ...imageDefaultChecks, ...imageModelChecks },
  custom: customImage,
})

/**
 * Turns images into dense vectors: CLIP, ResNet, Unicom, jina-clip, nomic-embed-vision, SigLIP. Decoding and scaling run off
 * the event loop too, beside the inference.
 *
 * @example
 * const model = await ImageEmbedding.create({ model: 'Qdrant/clip-ViT-B-32-vision' })
 * for await (const batch of model.embed(['cat.jpg', 'dog.png'], { errors: 'collect' })) store(batch)
 */
export class ImageEmbedding<D extends DType = 'float32', E extends ErrorMode = 'throw'> extends BaseModel {
  readonly #defaults: Checked<ImageDefaults>

  private constructor(name: string, loaded: LoadedModel, defaults: Checked<ImageDefaults>) {
    super(name, loaded, defaults)
    this.#defaults = defaults
  }

  /**
   * Loads a model: without options CLIP ViT-B/32.
   *
   * @throws MillraceError INVALID_OPTION, MODEL_NOT_FOUND, MODEL_INVALID, DOWNLOAD_FAILED, OFFLINE, RUNTIME_NOT_FOUND,
   * RUNTIME_INCOMPATIBLE, DEVICE_UNAVAILABLE. With `lazyLoad`, what loading finds comes with the first use.
   */
  static async create<D extends DType = 'float32', E extends ErrorMode = 'throw'>(
    options?: ImageEmbeddingOptions<D, E>,
  ): Promise<ImageEmbedding<D, E>> {
    const { name, loaded, calls } = await IMAGES.create(options)
    return new ImageEmbedding<D, E>(name, loaded, calls)
  }

  /** The models that can be named: the supported ones and those registered in this process. */
  static listSupportedModels(): ModelDescription[] {
    return IMAGES.list()
  }

  /**
   * Registers a model under a name, for this process.
   *
   * @throws MillraceError INVALID_OPTION, also when the name is taken.
   */
  static addCustomModel(definition: CustomModel<CustomImageSettings>): void {
    IMAGES.add(definition)
  }

  /**
   * Vectors of images, as a stream: output `i` belongs to input `i`. Nothing starts before it is read. A file that is no
   * image, a corrupt one and one beyond the limits are IMAGE_INVALID, for that item alone with `errors: 'collect'`.
   *
   * @throws MillraceError INVALID_OPTION, or INPUT_INVALID when `source` is no source; the rest comes with reading.
   */
  embed<CD extends DType = D, CE extends ErrorMode = E>(
    source: ImageSource,
    options?: ImageEmbedOptions<CD, CE>,
  ): ImageEmbeddingStream<NoInfer<CD>, NoInfer<CE>> {
    return this.#stream('embed', source, options)
  }

  /** As `embed`, ahead of bulk work. */
  queryEmbed<CD extends DType = D, CE extends ErrorMode = E>(
    source: ImageSource,
    options?: ImageEmbedOptions<CD, CE>,
  ): ImageEmbeddingStream<NoInfer<CD>, NoInfer<CE>> {
    return this.#stream('queryEmbed', source, options, QUERY_PRIORITY)
  }

  /** As `embed`. */
  passageEmbed<CD extends DType = D, CE extends ErrorMode = E>(
    source: ImageSource,
    options?: ImageEmbedOptions<CD, CE>,
  ): ImageEmbeddingStream<NoInfer<CD>, NoInfer<CE>> {
    return this.#stream('passageEmbed', source, options)
  }

  #stream<CD extends DType, CE extends ErrorMode>(
    where: string,
    source: ImageSource,
    options: unknown,
    basePriority = 0,
  ): ImageEmbeddingStream<CD, CE> {
    const call = parseCall<ImageEmbedOptions>(where, options, imageEmbedChecks, this.#defaults, basePriority)
    return openDenseStream(this.loaded, source, imageItems(call.job.maxImageBytes), call)
  }
}
