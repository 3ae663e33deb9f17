/**
 * What the class of every family does with models, from one table: `create`, `listSupportedModels`, `addCustomModel`.
 * What a family embeds, and how, is in its class.
 */

import type { NativeFamily } from '../binding/types.js'
import type { LoadedModel } from '../loading/loaded-model.js'
import { type OpenedModel, openModel } from '../loading/open-model.js'
import { type CustomFamily, type CustomModel, parseCustomModel } from '../models/custom.js'
import { describeModel, type ModelDescription } from '../models/describe.js'
import type { ChosenSettings } from '../models/locate.js'
import type { ModelRegistry } from '../models/registry.js'
import type { Checked, Checks } from '../options/check.js'
import { type ModelOptions, type ParsedModel, parseModel } from '../options/model.js'

/**
 * The facts about one family. `O` are the options of its `create`, `D` those of them that are defaults of calls, `S` the
 * settings of a registered model.
 */
export interface FamilyTable<O extends ModelOptions, D, S extends object> {
  /** The public class, named in errors. */
  className: string
  native: NativeFamily
  registry: ModelRegistry
  /** The model that `create` takes without a name. */
  defaultModel: string
  defaultChecks: Checks<D>
  /** All options of `create`, those defaults among them. */
  checks: Checks<O>
  custom: CustomFamily<S>
}

/** A model that `create` has opened, and the checked defaults of its calls. */
export interface CreatedModel<D> extends OpenedModel {
  name: string
  loaded: LoadedModel
  calls: Checked<D>
}

/** One family's models. */
export class Family<O extends ModelOptions, D, S extends object> {
  readonly #table: FamilyTable<O, D, S>

  constructor(table: FamilyTable<O, D, S>) {
    this.#table = table
  }

  /** Checks the options of `create`. */
  parse(options: unknown): ParsedModel<O, D> {
    const { className, checks, defaultChecks } = this.#table
    return parseModel<O, D>(`${className}.create`, options, checks, defaultChecks)
  }

  /** Opens the model that checked options name. */
  open(chosen: ChosenSettings): Promise<OpenedModel> {
    const { native, registry, defaultModel } = this.#table
    return openModel(native, registry, chosen, defaultModel)
  }

  /** Checks the options of `create` and opens the model. */
  async create(options: unknown): Promise<CreatedModel<D>> {
    const { model, calls } = this.parse(options)
    return { ...(await this.open(model as ChosenSettings)), calls }
  }

  /** The models that can be named. */
  list(): ModelDescription[] {
    return this.#table.registry.list().map(describeModel)
  }

  /** Registers a model for this process. */
  add(definition: CustomModel<S>): void {
    const { className, registry, custom } = this.#table
    registry.add(parseCustomModel(`${className}.addCustomModel`, definition, custom))
  }
}
