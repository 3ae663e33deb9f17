/** What users register and what they are shown of a model; the registry itself knows no public types. */

import { invalidOption, MillraceError } from '../base/errors.js'
import type { Check, Checked, Checks } from '../options/check.js'
import {
  boolean,
  nonEmptyString,
  nonNegativeInteger,
  oneOf,
  parseOptions,
  positiveInteger,
  string,
} from '../options/check.js'
import { directory } from '../options/model.js'
import { type Pooling, type Prompts, pooling, rolePrompts } from '../options/text.js'
import { externalData, textModelFiles } from '../store/files.js'
import { filePaths, gitRevision, repository } from '../store/options.js'
import { type FamilyFiles, IMAGE_FILES, MULTIMODAL_FILES, TEXT_FILES } from './hub-model.js'
import type { ModelDefinition, ModelSettings, ModelSource } from './registry.js'

interface CustomNaming {
  /** Its name; must not be registered yet, whatever the letter case. */
  model: string
  /** The weights. @default in a directory the first of the usual names that is there, in a repository 'onnx/model.onnx' */
  modelFile?: string | undefined
  /** Dimensions, for `listSupportedModels`; the graph's own count is what `info()` tells. */
  dim?: number | undefined
  /** For `listSupportedModels`. */
  description?: string | undefined
  /** For `listSupportedModels`. */
  license?: string | undefined
}

/** Files in a directory of the user's. */
export interface CustomDirectory {
  /** Directory of its files (path or `file:` URL). */
  modelPath: string | URL
  repo?: undefined
}

/** Files in a repository on the hub, downloaded at the first use. */
export interface CustomRepository {
  /** `organisation/name` on the hub. */
  repo: string
  /** Branch, tag or full commit hash. @default 'main' */
  revision?: string | undefined
  /** Files that the model needs beside those that every model of its family needs. */
  additionalFiles?: readonly string[] | undefined
  modelPath?: undefined
}

/** A model to register under a name: of a directory or of a repository on the hub, with the settings of its family. */
export type CustomModel<S extends object = CustomTextSettings> = CustomNaming &
  (CustomDirectory | CustomRepository) &
  S

/** Settings of a dense text model. What is left out is read from its files. */
export interface CustomTextSettings {
  pooling?: Pooling | undefined
  normalize?: boolean | undefined
  /** Output of the graph to take, by name. */
  outputName?: string | undefined
  /** The same by position, from 0; a name goes first. */
  outputIndex?: number | undefined
  /** Pad every text to the limit, for models that read their vector at the last position whatever stands there. */
  padToLimit?: boolean | undefined
  /** Longest text in tokens. */
  maxLength?: number | undefined
  /** What `prompts: 'auto'` writes before queries and passages. @default those of its files */
  prompts?: Prompts | undefined
}

/** Settings of a sparse text model. */
export interface CustomSparseSettings {
  /** How vectors are made of what the graph gives. */
  kind: 'splade' | 'if-splade' | 'bm42' | 'minicoil'
  /** Output of the graph to take, by name. */
  outputName?: string | undefined
  /** Longest text in tokens. */
  maxLength?: number | undefined
}

/** Settings of a late-interaction text model. */
export interface CustomLateSettings {
  /** How texts are prepared and vectors chosen. */
  kind: 'colbert' | 'jina-colbert' | 'late-on' | 'm-late-on' | 'tokens'
  /** Output of the graph to take, by name. */
  outputName?: string | undefined
  /** Longest text in tokens. */
  maxLength?: number | undefined
}

/** Settings of an image model. What is left out is read from its files. */
export interface CustomImageSettings {
  /** `cls`: the first token; `none`: all values of the output. It must be said where the output has a vector for each token. */
  pooling?: 'cls' | 'none' | undefined
  /** @default true */
  normalize?: boolean | undefined
  /** Output of the graph to take, by name. */
  outputName?: string | undefined
}

/** Settings of a late-interaction model of texts and images; its files tell the architecture. */
export interface CustomMultimodalSettings {
  /** Longest text in tokens. */
  maxLength?: number | undefined
}

/** Settings of a cross encoder. */
export interface CustomRerankSettings {
  /** Output of the graph to take, by name. */
  outputName?: string | undefined
  /** Longest pair in tokens. */
  maxLength?: number | undefined
}

/** What a family asks of a definition. */
export interface CustomFamily<S extends object> {
  checks: Checks<S>
  /** Settings that must be given. */
  needs: readonly (keyof S & string)[]
  /** Files of a repository beside the weights. */
  files(settings: Checked<S>): FamilyFiles
}

/** Files that kinds of sparse models read beside the tokenizer's. */
const KIND_FILES: Readonly<Record<CustomSparseSettings['kind'], readonly string[]>> = {
  splade: [],
  'if-splade': ['idf.json'],
  bm42: ['stopwords.txt'],
  minicoil: ['stopwords.txt', 'minicoil.triplet.model.npy', 'minicoil.triplet.model.vocab'],
}

export const customText: CustomFamily<CustomTextSettings> = {
  checks: {
    pooling,
    normalize: boolean,
    outputName: nonEmptyString,
    outputIndex: nonNegativeInteger,
    padToLimit: boolean,
    maxLength: positiveInteger,
    prompts: rolePrompts,
  },
  needs: [],
  // Settings that are left out are read from files that registered models do without.
  files: () => ({ ...TEXT_FILES, optional: textModelFiles('').optional ?? [] }),
}

export const customSparse: CustomFamily<CustomSparseSettings> = {
  checks: {
    kind: oneOf('splade', 'if-splade', 'bm42', 'minicoil'),
    outputName: nonEmptyString,
    maxLength: positiveInteger,
  },
  needs: ['kind'],
  files: ({ kind = 'splade' }) => ({
    ...TEXT_FILES,
    required: [...TEXT_FILES.required, ...KIND_FILES[kind]],
  }),
}

export const customLate: CustomFamily<CustomLateSettings> = {
  checks: {
    kind: oneOf('colbert', 'jina-colbert', 'late-on', 'm-late-on', 'tokens'),
    outputName: nonEmptyString,
    maxLength: positiveInteger,
  },
  needs: ['kind'],
  files: () => TEXT_FILES,
}

export const customImage: CustomFamily<CustomImageSettings> = {
  checks: { pooling: oneOf('cls', 'none'), normalize: boolean, outputName: nonEmptyString },
  needs: [],
  files: () => IMAGE_FILES,
}

export const customMultimodal: CustomFamily<CustomMultimodalSettings> = {
  checks: { maxLength: positiveInteger },
  needs: [],
  files: () => ({
    ...MULTIMODAL_FILES,
    optional: [...MULTIMODAL_FILES.optional, 'processor_config.json'],
  }),
}

export const customRerank: CustomFamily<CustomRerankSettings> = {
  checks: { outputName: nonEmptyString, maxLength: positiveInteger },
  needs: [],
  files: () => TEXT_FILES,
}

interface AnyDefinition extends CustomNaming {
  modelPath?: string | URL | undefined
  repo?: string | undefined
  revision?: string | undefined
  additionalFiles?: readonly string[] | undefined
}

const definitionChecks: Checks<AnyDefinition> = {
  model: nonEmptyString,
  modelPath: directory,
  repo: repository,
  revision: gitRevision,
  additionalFiles: filePaths,
  modelFile: nonEmptyString,
  dim: positiveInteger,
  description: string,
  license: string,
}

/** Where repositories of ONNX models have their graph. */
const USUAL_MODEL_FILE = 'onnx/model.onnx'

/** Checks what a user registers. */
export function parseCustomModel<S extends object>(
  where: string,
  definition: unknown,
  family: CustomFamily<S>,
): ModelDefinition {
  const checks: Record<string, Check<unknown>> = { ...family.checks, ...definitionChecks }
  const parsed: Record<string, unknown> = parseOptions(where, definition, checks)
  // A check says best what it expects.
  for (const name of ['model', ...family.needs])
    if (parsed[name] === undefined) checks[name]?.(name, undefined)
  const own = Object.keys(family.checks).filter((name) => name in parsed)
  const settings = Object.fromEntries(own.map((name) => [name, parsed[name]]))
  const { prompts, ...native } = settings as Checked<S> & { prompts?: ModelDefinition['prompts'] }
  const { model = '', dim, description, license, ...place } = parsed as Checked<AnyDefinition>
  const { maxLength } = settings as { maxLength?: number }
  return {
    model,
    source: sourceOf(where, place, family.files(settings as Checked<S>)),
    settings: native as ModelSettings,
    ...(prompts !== undefined && { prompts }),
    listed: {
      ...(dim !== undefined && { dim }),
      ...(maxLength !== undefined && { maxLength }),
      ...(description !== undefined && { description }),
      ...(license !== undefined && { license }),
    },
  }
}

function sourceOf(
  where: string,
  { modelPath, repo, revision, additionalFiles, modelFile }: Checked<AnyDefinition>,
  { required, optional }: FamilyFiles,
): ModelSource {
  if ((modelPath === undefined) === (repo === undefined)) {
    const received = repo === undefined ? 'neither' : 'both'
    throw new MillraceError(
      'INVALID_OPTION',
      `Expected exactly one of modelPath and repo for ${where} but received ${received}`,
    )
  }
  if (repo === undefined) {
    for (const [name, value] of Object.entries({ revision, additionalFiles })) {
      if (value !== undefined) throw invalidOption(name, 'no value without repo', value)
    }
    // The check gives a path for a URL.
    return { kind: 'directory', path: modelPath as string, ...(modelFile !== undefined && { modelFile }) }
  }
  const weights = modelFile ?? USUAL_MODEL_FILE
  return {
    kind: 'hub',
    repo,
    ...(revision !== undefined && { revision }),
    modelFile: weights,
    additional: [...required, ...(additionalFiles ?? [])],
    optional: [...optional, ...externalData(weights)],
  }
}
