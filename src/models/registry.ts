/** Models by name. What a model's files hold is read by the native side; nothing here opens a file. */

import { invalidOption, MillraceError } from '../base/errors.js'
import { didYouMean, nearest } from '../base/suggest.js'
import type { NativeModelOptions } from '../binding/types.js'

/** Where a model's files are. */
export type ModelSource =
  /** In an npm package; `package` is its name. */
  | { kind: 'package'; package: string; directory: string; modelFile: string }
  /** In a directory of the user's. */
  | { kind: 'directory'; path: string; modelFile?: string }
  /** In a repository on the hub, hence in the cache once they are downloaded. */
  | HubSource
  /** The model needs no files. */
  | { kind: 'none' }

export interface HubSource {
  kind: 'hub'
  repo: string
  /** Branch, tag or commit; absent: `main`. */
  revision?: string
  /** The weights. */
  modelFile: string
  /** What else the model cannot do without; weights kept outside the graph are among them. */
  additional: readonly string[]
  /** Taken where the repository has them. */
  optional: readonly string[]
  /** Name by which the command line knows the model. */
  pullAs?: string
}

/** What a definition tells the native side; absent settings are read from the model's files. */
export type ModelSettings = Partial<Omit<NativeModelOptions, 'dir' | 'modelFile' | 'device'>>

/** Only for lists: nothing is computed from it. */
export interface Listed {
  /** Dimensions of its vectors. */
  dim?: number
  /** Longest text in tokens. */
  maxLength?: number
  /** Of the download, about. */
  sizeBytes?: number
  /** How the weights are kept when it is not float32; `quantized`: in fewer bits, the publisher does not say how. */
  weights?: 'int8' | 'float16' | 'quantized'
  description?: string
  license?: string
}

/** What a model's card says to write before queries and passages; a role that is left out has none. */
export interface RolePrompts {
  query?: string
  passage?: string
}

/** A model that can be named. */
export interface ModelDefinition {
  model: string
  source: ModelSource
  settings: ModelSettings
  prompts?: RolePrompts
  listed: Listed
}

/** Definitions by name; letter case does not count. */
export class ModelRegistry {
  readonly #models = new Map<string, ModelDefinition>()

  constructor(models: readonly ModelDefinition[]) {
    for (const model of models) this.add(model)
  }

  list(): ModelDefinition[] {
    return [...this.#models.values()]
  }

  find(name: string): ModelDefinition | undefined {
    return this.#models.get(name.toLowerCase())
  }

  /** Throws INVALID_OPTION when the name is taken. */
  add(definition: ModelDefinition): void {
    const key = definition.model.toLowerCase()
    if (this.#models.has(key))
      throw invalidOption('model', 'name that is not registered yet', definition.model)
    this.#models.set(key, definition)
  }

  /** The definition, or MODEL_NOT_FOUND with the nearest names and the remedy. */
  get(name: string): ModelDefinition {
    const found = this.find(name)
    if (found !== undefined) return found
    const near = nearest(
      name,
      this.list().map(({ model }) => model),
    )
    throw new MillraceError(
      'MODEL_NOT_FOUND',
      `The model '${name}' is not known${didYouMean(near) || '.'} Give the directory of its files as modelPath, or register ` +
        'it with addCustomModel(), by its repository on the hub or its directory; listSupportedModels() lists the known ones',
    )
  }
}
