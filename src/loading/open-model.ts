/** From the checked options of `create` to a model that is loaded at its first use: the same for every family. */

import type { NativeFamily } from '../binding/types.js'
import { type ChosenSettings, locateModel, nativeOptions } from '../models/locate.js'
import type { ModelRegistry } from '../models/registry.js'
import { LoadedModel } from './loaded-model.js'

/** A named model, not loaded yet. */
export interface OpenedModel {
  name: string
  loaded: LoadedModel
}

/**
 * Finds the model; loading it downloads its files where they are not in the cache. Unless `lazyLoad` is chosen, resolves
 * once it is loaded.
 *
 * @throws MillraceError what locating, downloading and loading find; rejects with the reason of the option `signal`.
 */
export async function openModel(
  family: NativeFamily,
  registry: ModelRegistry,
  chosen: ChosenSettings,
  defaultModel: string,
): Promise<OpenedModel> {
  chosen.signal?.throwIfAborted()
  const located = locateModel(registry, chosen, defaultModel)
  const loaded = new LoadedModel({
    name: located.name,
    prepare: (signal) => nativeOptions(family, located, chosen, signal),
    prompts: located.prompts,
    signal: chosen.signal,
  })
  if (chosen.lazyLoad !== true) await loaded.get()
  return { name: located.name, loaded }
}
