/** The registry of each family and the name of its default model. What the models are is in `data/`. */

import { IMAGE_MODELS } from './data/image.js'
import { LATE_INTERACTION_MODELS } from './data/late-interaction.js'
import { MULTIMODAL_MODELS } from './data/multimodal.js'
import { RERANK_MODELS } from './data/rerank.js'
import { SPARSE_MODELS } from './data/sparse.js'
import { TEXT_MODELS } from './data/text.js'
import {
  DENSE_TEXT_FILES,
  type FamilyFiles,
  type HubModel,
  hubDefinition,
  IMAGE_FILES,
  MULTIMODAL_FILES,
  TEXT_FILES,
} from './hub-model.js'
import { type ModelDefinition, ModelRegistry } from './registry.js'

/** The bundled model. FastEmbed's default, BAAI/bge-small-en-v1.5, would be a download. */
export const DEFAULT_TEXT_MODEL = 'sentence-transformers/all-MiniLM-L6-v2'
/** BM25 needs no files. FastEmbed has no defaults for the families from here on. */
export const DEFAULT_SPARSE_MODEL = 'Qdrant/bm25'
export const DEFAULT_LATE_MODEL = 'colbert-ir/colbertv2.0'
export const DEFAULT_IMAGE_MODEL = 'Qdrant/clip-ViT-B-32-vision'
/** The smaller of the two, and the one that runs on a CPU. */
export const DEFAULT_MULTIMODAL_MODEL = 'Qdrant/colmodernvbert'
export const DEFAULT_RERANK_MODEL = 'Xenova/ms-marco-MiniLM-L-6-v2'

/**
 * int8 weights; vectors differ a little from those of the float32 file that FastEmbed has under this name. That one can be
 * had with `addCustomModel({ model: 'minilm-float32', repo: 'Qdrant/all-MiniLM-L6-v2-onnx', modelFile: 'model.onnx',
 * pooling: 'mean', normalize: true })`.
 */
const BUNDLED: ModelDefinition = {
  model: DEFAULT_TEXT_MODEL,
  source: {
    kind: 'package',
    package: '@millrace/all-minilm-l6-v2',
    directory: 'models/all-minilm-l6-v2',
    modelFile: 'model_w8.onnx',
  },
  // Its files say the same; this is for another copy of the model, given as modelPath.
  settings: { pooling: 'mean', normalize: true },
  listed: {
    dim: 384,
    maxLength: 256,
    weights: 'int8',
    description: 'English sentences and short paragraphs; comes with millrace, needs no network, 2021',
    license: 'apache-2.0',
  },
}

/** The stop words of all languages and the stemmers are built in. */
const BM25: ModelDefinition = {
  model: DEFAULT_SPARSE_MODEL,
  source: { kind: 'none' },
  settings: { kind: 'bm25' },
  listed: {
    description:
      'BM25 without any files, for many languages; the index multiplies in the inverse document frequency',
    license: 'apache-2.0',
  },
}

const onHub = (models: readonly HubModel[], files: FamilyFiles) =>
  models.map((model) => hubDefinition(model, files))

export const textModels = new ModelRegistry([BUNDLED, ...onHub(TEXT_MODELS, DENSE_TEXT_FILES)])
export const sparseModels = new ModelRegistry([BM25, ...onHub(SPARSE_MODELS, TEXT_FILES)])
export const lateInteractionModels = new ModelRegistry(onHub(LATE_INTERACTION_MODELS, TEXT_FILES))
export const imageModels = new ModelRegistry(onHub(IMAGE_MODELS, IMAGE_FILES))
export const multimodalModels = new ModelRegistry(onHub(MULTIMODAL_MODELS, MULTIMODAL_FILES))
export const rerankModels = new ModelRegistry(onHub(RERANK_MODELS, TEXT_FILES))

/** All of them, for what asks by name alone. */
export const allRegistries: readonly ModelRegistry[] = [
  textModels,
  sparseModels,
  lateInteractionModels,
  imageModels,
  multimodalModels,
  rerankModels,
]
