/** The text models that can be named without registering them: data only. */

import type { ModelDefinition } from './registry.js'

/** What `TextEmbedding.create()` loads when nothing is named. */
export const DEFAULT_TEXT_MODEL = 'sentence-transformers/all-MiniLM-L6-v2'

export const TEXT_MODELS: readonly ModelDefinition[] = [
  {
    model: DEFAULT_TEXT_MODEL,
    source: {
      kind: 'package',
      package: '@millrace/all-minilm-l6-v2',
      directory: 'models/all-minilm-l6-v2',
      modelFile: 'model_w8.onnx',
    },
    settings: {}, // its files say all
    listed: {
      dim: 384,
      maxLength: 256,
      description:
        'English sentences and short paragraphs, int8 weights; comes with millrace, needs no network',
      license: 'apache-2.0',
    },
  },
]
