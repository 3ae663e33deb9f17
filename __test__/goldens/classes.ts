/**
 * Which of FastEmbed's classes are built, which ones wait, and what each means in millrace's options. Data, and the
 * rule that sends a case to its class. A class in neither table is a failure of the run.
 */

import type { ErrorCode, TextEmbeddingOptions } from '../../index.js'
import type { Golden } from './cases.js'

type Head = Pick<TextEmbeddingOptions, 'pooling' | 'normalize'>

/** Classes whose cases must pass. `undefined`: the case itself says pooling and normalisation. */
const BUILT: Readonly<Record<string, Head | undefined>> = {
  OnnxTextEmbedding: { pooling: 'cls', normalize: true },
  PooledEmbedding: { pooling: 'mean', normalize: false },
  PooledNormalizedEmbedding: { pooling: 'mean', normalize: true },
  LastTokenNormalizedEmbedding: { pooling: 'last', normalize: true },
  CustomTextEmbedding: undefined,
  /** Only in errors: the choice of a model by name. */
  TextEmbedding: undefined,
}

/** Classes that are not built yet. A case of one of them waits and is counted. */
const WAITING: readonly string[] = [
  'BuiltinSentenceEmbedding',
  'CLIPOnnxEmbedding',
  'JinaEmbeddingV3',
  'SiglipOnnxTextEmbedding',
  'StaticTextEmbedding',
  'Bm25',
  'Bm42',
  'IfSplade',
  'MiniCOIL',
  'SpladePP',
  'Colbert',
  'JinaColbert',
  'LateOn',
  'MLateOn',
  'TokenEmbeddingsModel',
  'ColModernVBERT',
  'ColPali',
  'Compose',
  'NormalizedEmbedding',
  'OnnxImageEmbedding',
  'SiglipOnnxImageEmbedding',
  'CustomTextCrossEncoder',
  'OnnxTextCrossEncoder',
  'Muvera',
]

const POOLINGS: Readonly<Record<string, NonNullable<Head['pooling']>>> = {
  CLS: 'cls',
  MEAN: 'mean',
  LAST_TOKEN: 'last',
  DISABLED: 'none',
}

/** FastEmbed raises ValueError for all of these, so its message tells the kind. */
const ERRORS: readonly { message: RegExp; code: ErrorCode }[] = [
  { message: /^batch_size must be/, code: 'INVALID_OPTION' },
  { message: /^Output '.*' not found in the model/, code: 'INVALID_OPTION' },
  { message: /^PoolingType\.DISABLED pooling expects/, code: 'MODEL_INVALID' },
  { message: /^Model .* is not supported in/, code: 'MODEL_NOT_FOUND' },
  { message: /^Could not determine the maximum context length/, code: 'MODEL_INVALID' },
  { message: /^Could not find a pad token/, code: 'MODEL_INVALID' },
]

/** The class that a case depends on: for a tokenizer alone, the class of its directory's other cases. */
export function classOf(golden: Golden, all: readonly Golden[]): string {
  if (golden.fastembed_class !== 'load_tokenizer') return golden.fastembed_class
  const classes = all
    .filter((other) => other.model_dir === golden.model_dir && other.fastembed_class !== 'load_tokenizer')
    .map((other) => other.fastembed_class)
  // A directory that only the tokenizer cases use is loaded as a user's own model.
  return classes.find(isBuilt) ?? classes[0] ?? 'CustomTextEmbedding'
}

export const isBuilt = (name: string): boolean => Object.hasOwn(BUILT, name)

export const isWaiting = (name: string): boolean => WAITING.includes(name)

/** How millrace loads the case's model from `dir`. */
export function modelOptions(
  golden: Golden,
  name: string,
  dir: string,
): TextEmbeddingOptions<'float32', 'throw'> {
  if (Object.keys(golden.init_options).length > 0) {
    throw new Error(`${golden.name}: no meaning is known for ${Object.keys(golden.init_options).join(', ')}`)
  }
  const custom = golden.custom_model
  if (custom === null) return { modelPath: dir, ...BUILT[name] }
  const pooling = POOLINGS[custom.pooling]
  if (pooling === undefined) throw new Error(`${golden.name}: unknown pooling ${custom.pooling}`)
  return {
    modelPath: dir,
    modelFile: custom.model_file,
    pooling,
    normalize: custom.normalization,
    ...(custom.output_name !== undefined && { outputName: custom.output_name }),
  }
}

/** Our code for an error of FastEmbed's. */
export function errorCode(message: string): ErrorCode {
  const known = ERRORS.find((error) => error.message.test(message))
  if (known === undefined) throw new Error(`No code is known for '${message}'`)
  return known.code
}
