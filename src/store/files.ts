/** Which files of a repository a model needs: the graph, its tokenizer, its configuration. Only names. */

import type { ModelFiles } from './options.js'

/** How a text becomes tokens. No text model can do without it. */
export const TOKENIZER = 'tokenizer.json'

/** What the Transformer of a model says beside its tokenizer; a folder of its own (`0_Transformer`) has the same files. */
const TRANSFORMER = [
  'config.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  // The same names as `TRANSFORMER_FILES` in crates/core/src/model/modules.rs; a test compares the two.
  'sentence_bert_config.json',
  'sentence_roberta_config.json',
  'sentence_distilbert_config.json',
  'sentence_camembert_config.json',
  'sentence_albert_config.json',
  'sentence_xlm-roberta_config.json',
  'sentence_xlnet_config.json',
] as const

/** The list of a model's modules. What further files they need is in it: see `moduleFiles`. */
export const MODULES = 'modules.json'

/** What says how a text becomes tokens and tokens become a vector. Read where it exists. */
const CONFIGURATION = [
  ...TRANSFORMER,
  MODULES,
  'config_sentence_transformers.json',
  '1_Pooling/config.json',
  'preprocessor_config.json',
  'processor_config.json',
] as const

/** The files of a module, by the last part of its class's name. What is not here has none. */
const MODULE_FILES: Readonly<Record<string, readonly string[]>> = {
  Transformer: [TOKENIZER, ...TRANSFORMER],
  Pooling: ['config.json'],
  Dense: ['config.json', 'model.safetensors'],
  LayerNorm: ['config.json', 'model.safetensors'],
  StaticEmbedding: [TOKENIZER, 'model.safetensors'],
}

/** A module of `modules.json`. */
export interface ModuleEntry {
  path: string
  type: string
}

/** The files of modules that have folders of their own. A path that leads out of the repository has none. */
export function moduleFiles(modules: readonly ModuleEntry[]): string[] {
  return modules.flatMap(({ path, type }) => {
    const folder = path.split('/').filter((part) => part !== '' && part !== '.')
    if (folder.length === 0 || folder.includes('..') || path.startsWith('/')) return []
    const files = MODULE_FILES[type.split('.').at(-1) ?? ''] ?? []
    return files.map((file) => [...folder, file].join('/'))
  })
}

/**
 * The files of a text model: its ONNX file, `tokenizer.json` and what else it cannot do without; where they exist, its
 * configuration and the graph's external data.
 */
export function textModelFiles(modelFile: string, additional: readonly string[] = []): ModelFiles {
  return {
    required: [modelFile, TOKENIZER, ...additional],
    optional: [...CONFIGURATION, ...externalData(modelFile)],
  }
}

/** The usual names of weights kept outside the graph; others belong to `additional`. */
export function externalData(modelFile: string): string[] {
  return [`${modelFile}_data`, `${modelFile}.data`]
}
