/** Which files of a repository a model needs: the graph, its tokenizer, its configuration. Only names. */

import type { ModelFiles } from './options.js'

/** What says how a text becomes tokens and tokens become a vector. Read where it exists. */
const CONFIGURATION = [
  'config.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'modules.json',
  'sentence_bert_config.json',
  'sentence_roberta_config.json',
  'sentence_distilbert_config.json',
  'sentence_camembert_config.json',
  'sentence_albert_config.json',
  'sentence_xlnet_config.json',
  'config_sentence_transformers.json',
  '1_Pooling/config.json',
  'preprocessor_config.json',
  'processor_config.json',
] as const

/**
 * The files of a text model: its ONNX file, `tokenizer.json` and what else it cannot do without; where they exist, its
 * configuration and the graph's external data.
 */
export function textModelFiles(modelFile: string, additional: readonly string[] = []): ModelFiles {
  return {
    required: [modelFile, 'tokenizer.json', ...additional],
    optional: [...CONFIGURATION, ...externalData(modelFile)],
  }
}

/** The usual names of weights kept outside the graph; others belong to `additional`. */
export function externalData(modelFile: string): string[] {
  return [`${modelFile}_data`, `${modelFile}.data`]
}
