/** The public class for image vectors. It checks, names and wires; the work is in `stream/` and the addon. */

import { type DenseBatch, denseFromNative, type VectorOf } from '../batches/dense.js'
import { DenseMatrix, rowValues } from '../batches/dense-matrix.js'
import type { LoadedModel } from '../loading/loaded-model.js'
import { openModel } from '../loading/open-model.js'
import {
  type CustomImageSettings,
  type CustomModel,
  customImage,
  parseCustomModel,
} from '../models/custom.js'
import { describeModel, type ModelDescription } from '../models/describe.js'
import { DEFAULT_IMAGE_MODEL, imageModels } from '../models/registries.js'
import { type ErrorMode, parseCall, QUERY_PRIORITY, type RowOr } from '../options/call.js'
import type { Checked } from '../options/check.js'
import type { DType } from '../options/dense.js'
import {
  type ImageDefaults,
  type ImageEmbeddingOptions,
  type ImageEmbedOptions,
  imageCallDefaultChecks,
  imageEmbedChecks,
  imageModelChecks,
} from '../options/image.js'
import { parseModel } from '../options/model.js'
import type { EmbeddingStream } from '../stream/embedding-stream.js'
import { images } from '../stream/items.js'
import { openStream } from '../stream/open-stream.js'
import type { ImageSource } from '../stream/source.js'
import { BaseModel } from './base-model.js'

/** The stream of image vectors. */
export type ImageEmbeddingStream<D extends DType, E extends ErrorMode> = EmbeddingStream<
  DenseBatch<D>,
  RowOr<VectorOf<D>, E>
>

/**
 * Turns images into dense vectors: CLIP, ResNet, Unicom, jina-clip, nomic-embed-vision, SigLIP. Decoding and scaling run off
 * the event loop too, beside the inference.
 *
 * @example
 * await using model = await ImageEmbedding.create({ model: 'Qdrant/clip-ViT-B-32-vision' })
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
    const { model, calls } = parseModel<ImageEmbeddingOptions, ImageDefaults>(
      'ImageEmbedding.create',
      options,
      { ...imageCallDefaultChecks, ...imageModelChecks },
      imageCallDefaultChecks,
    )
    const { name, loaded } = await openModel('image', imageModels, model, DEFAULT_IMAGE_MODEL)
    return new ImageEmbedding<D, E>(name, loaded, calls)
  }

  /** The models that can be named: the supported ones and those registered in this process. */
  static listSupportedModels(): ModelDescription[] {
    return imageModels.list().map(describeModel)
  }

  /**
   * Registers a model under a name, for this process.
   *
   * @throws MillraceError INVALID_OPTION, also when the name is taken.
   */
  static addCustomModel(definition: CustomModel<CustomImageSettings>): void {
    imageModels.add(parseCustomModel('ImageEmbedding.addCustomModel', definition, customImage))
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
    const { job } = call
    let dim = 0
    return openStream({
      loaded: this.loaded,
      source,
      kind: images,
      call,
      prepare(native) {
        dim = rowValues(native.info().dim, job)
        return job
      },
      decode: denseFromNative<CD>,
      collector: (rows) => new DenseMatrix<CD>({ dtype: job.dtype as CD, dim, rows }),
    })
  }
}
