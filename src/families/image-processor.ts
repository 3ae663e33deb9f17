/**
 * The pixels of an image as a model takes them, without the model: what `ImageEmbedding` does before it infers. Nothing is
 * inferred here.
 */

import { resolve } from 'node:path'
import { unwrap } from '../base/errors.js'
import { loadAddon } from '../binding/load.js'
import type { NativeProcessor } from '../binding/types.js'
import { own } from '../binding/views.js'
import { parseOptions } from '../options/check.js'
import { type ImageCallDefaults, imageCallDefaultChecks } from '../options/image.js'
import { directory } from '../options/model.js'
import { type ImageInput, imageItems } from '../stream/image-items.js'
import { encodeItem, mustBeRead, readItems } from '../stream/items.js'

/** An image as a tensor. */
export interface PixelTensor {
  /** Rescaled and normalised values, row-major in the order of `shape`. */
  data: Float32Array
  /** Tiles are one, unless the processor splits images; then the view of the whole comes last. */
  shape: [tiles: number, channels: 3, height: number, width: number]
}

/**
 * Reads, scales, crops and normalises images as a `preprocessor_config.json` says, with Pillow's values: those of CLIP,
 * SigLIP, ConvNeXT, jina-clip and Idefics3. To look at what a model sees, or to feed another runtime.
 *
 * @example
 * const processor = await ImageProcessor.create('./clip-ViT-B-32-vision')
 * const { data, shape } = await processor.process('cat.jpg') // shape [1, 3, 224, 224]
 */
export class ImageProcessor {
  readonly #native: NativeProcessor

  private constructor(native: NativeProcessor) {
    this.#native = native
  }

  /**
   * The processor of a model's directory (path or `file:` URL).
   *
   * @throws MillraceError INVALID_OPTION; MODEL_NOT_FOUND without a `preprocessor_config.json`, MODEL_INVALID when it asks
   * for what is not known.
   */
  static async create(modelPath: string | URL): Promise<ImageProcessor> {
    const dir = resolve(directory('modelPath', modelPath))
    return new ImageProcessor(unwrap(await loadAddon().addon.createProcessor(dir)))
  }

  /**
   * The tensor of an image. Works off the event loop.
   *
   * @throws MillraceError IMAGE_INVALID as `ImageEmbedding.embed`, INPUT_INVALID for what is no image, INVALID_OPTION.
   */
  async process(image: ImageInput, options?: ImageCallDefaults): Promise<PixelTensor> {
    const checked = parseOptions<ImageCallDefaults>('process', options, imageCallDefaultChecks)
    const kind = imageItems(checked.maxImageBytes)
    const [item] = mustBeRead(kind, [image]) ? await readItems(kind, [image]) : [image]
    const one = encodeItem(kind, item, 'image')
    if ('error' in one) throw one.error
    const { data, tiles, height, width } = unwrap(await this.#native.process(one.encoded, checked))
    return { data: own(data), shape: [tiles, 3, height, width] }
  }
}
