/** From checked options to the place and settings of one model, and from there to its files. It does not load anything. */

import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { invalidOption, MillraceError } from '../base/errors.js'
import { resolveModelPackage } from '../binding/native-require.cjs'
import { packageRoot } from '../binding/package-root.js'
import type { NativeFamily, NativeModelOptions } from '../binding/types.js'
import type { CheckedModel } from '../options/model.js'
import { externalData } from '../store/files.js'
import type { ModelFiles } from '../store/options.js'
import { resolveModel } from '../store/resolve.js'
import type { HubSource, ModelRegistry, ModelSettings, ModelSource, RolePrompts } from './registry.js'

/** What a user chose of a model, checked, with the settings of a family. */
export type ChosenSettings = CheckedModel & Omit<ModelSettings, 'deviceIds'>

/** A model's place and what its definition brings. */
export interface LocatedModel {
  name: string
  /** Absent where the model needs no files, or has them on the hub. */
  dir?: string
  modelFile?: string
  /** Files that are in the cache, or will be. */
  hub?: { repo: string; revision?: string; files: ModelFiles; pullAs?: string }
  settings: ModelSettings
  prompts?: RolePrompts
}

/**
 * Where the model is. A directory in the options wins; a registered name then only brings its settings.
 *
 * @throws MillraceError MODEL_NOT_FOUND when the name is unknown or its package is not installed; INVALID_OPTION when the
 * `kind` that was chosen is not the named model's.
 */
export function locateModel(
  registry: ModelRegistry,
  options: ChosenSettings,
  defaultModel: string,
): LocatedModel {
  const { model, modelPath, modelFile, kind } = options
  const named = modelPath === undefined ? registry.get(model ?? defaultModel) : registry.find(model ?? '')
  const { settings = {}, prompts } = named ?? {}
  if (named !== undefined && kind !== undefined && kind !== settings.kind) {
    throw invalidOption('kind', `no value, or the '${settings.kind}' of ${named.model},`, kind)
  }
  const brought = { settings, ...(prompts !== undefined && { prompts }) }
  const chosenFile = modelFile !== undefined && { modelFile }
  if (modelPath !== undefined) {
    const dir = resolve(modelPath)
    return { name: model ?? basename(dir), dir, ...chosenFile, ...brought }
  }
  // Without a directory `named` is there, or `get` has thrown.
  const { model: name = '', source = { kind: 'none' } } = named ?? {}
  return { name, ...placeOf(source, modelFile), ...chosenFile, ...brought }
}

function placeOf(
  source: ModelSource,
  chosenFile: string | undefined,
): Pick<LocatedModel, 'dir' | 'modelFile' | 'hub'> {
  switch (source.kind) {
    case 'none':
      return {}
    case 'package':
      return { dir: packageDirectory(source), modelFile: source.modelFile }
    case 'directory':
      return {
        dir: resolve(source.path),
        ...(source.modelFile !== undefined && { modelFile: source.modelFile }),
      }
    case 'hub': {
      const { repo, revision, modelFile, pullAs } = source
      const hub = {
        repo,
        files: hubFiles(source, chosenFile),
        ...(revision !== undefined && { revision }),
        // The command line would take the usual weights.
        ...(pullAs !== undefined && chosenFile === undefined && { pullAs }),
      }
      return { modelFile, hub }
    }
  }
}

/** The files to have of a repository; another weights file may be chosen, which has weights of its own outside of it. */
export function hubFiles(
  { modelFile, additional, optional }: HubSource,
  chosenFile: string = modelFile,
): ModelFiles {
  if (chosenFile === modelFile) return { required: [modelFile, ...additional], optional }
  const outside = externalData(modelFile)
  return {
    required: [chosenFile, ...additional.filter((file) => !outside.includes(file))],
    optional: [...optional.filter((file) => !outside.includes(file)), ...externalData(chosenFile)],
  }
}

/** The installed package, or its folder in this repository. */
export function packageDirectory(source: ModelSource & { kind: 'package' }): string {
  try {
    return dirname(resolveModelPackage(source.package))
  } catch (cause) {
    const local = join(packageRoot(), source.directory)
    if (existsSync(local)) return local
    throw new MillraceError(
      'MODEL_NOT_FOUND',
      `The package ${source.package} is not installed: npm install ${source.package}, or give another model's directory as modelPath`,
      { cause },
    )
  }
}

/**
 * The native options: what the user chose, over what the model's definition brings. Downloads the files if they are not in
 * the cache; aborting `signal` ends that.
 *
 * @throws MillraceError what `resolveModel` of the store does; rejects with `signal.reason`.
 */
export async function nativeOptions(
  family: NativeFamily,
  located: LocatedModel,
  chosen: ChosenSettings,
  signal: AbortSignal,
): Promise<NativeModelOptions> {
  const { model, modelPath, cacheDir, localFilesOnly, signal: _, onDownload, lazyLoad, ...given } = chosen
  const { hub, modelFile, settings } = located
  const { deviceIds, ...options } = given
  const dir =
    hub === undefined
      ? located.dir
      : (await resolveModel({ ...hub, cacheDir, localFilesOnly, signal, onProgress: onDownload })).dir
  const defined = Object.keys(settings).filter((name) => !Object.hasOwn(options, name))
  return {
    device: 'cpu',
    ...(defined.length > 0 && { defined }),
    family: isTable(family, modelFile) ? 'static' : family,
    ...settings,
    ...options,
    ...(dir !== undefined && { dir }),
    ...(modelFile !== undefined && { modelFile }),
    ...(deviceIds !== undefined && { deviceIds: [...deviceIds] }),
  }
}

/** Dense text whose weights are a table of vectors: there is no graph in a file of tensors. */
function isTable(family: NativeFamily, modelFile: string | undefined): boolean {
  return family === 'dense' && modelFile?.endsWith('.safetensors') === true
}
