/** The options that say which model runs and how, in the groups that commands share, and their way into the API's options. */

import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Pooling, TextEmbeddingOptions } from '../../index.js'
import { reasonOf } from '../base/foreign.js'
import { encoding } from '../pipeline/sources/encoding.js'

/** What commander makes of {@link addModelOptions}: options of every family. */
export interface ModelFlags {
  model?: string
  modelPath?: string
  modelFile?: string
  cacheDir?: string
  offline?: boolean
  maxLength?: number
  threads?: number
  parallel?: number | 'none'
  maxMemory?: string
  device?: 'cpu' | 'cuda' | 'auto'
}

/** What commander makes of {@link addDenseOptions}. */
export interface DenseFlags extends ModelFlags {
  pooling?: Pooling
  dimensions?: number
  /** `false` with --no-normalize; commander's default is `true`. */
  normalize: boolean
  prompt?: string
  prompts?: 'none' | 'auto'
}

/** Parses an option that is a whole number from 1. */
export function positiveInteger(value: string): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < 1 || number > 2 ** 31 - 1) {
    throw new InvalidArgumentError('Expected a positive integer.')
  }
  return number
}

/** Parses an option that is a whole number from 0. */
export function wholeNumber(value: string): number {
  return value === '0' ? 0 : positiveInteger(value)
}

/** Parses an option that is any number; what it means is checked where it is used. */
export function finiteNumber(value: string): number {
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number)) throw new InvalidArgumentError('Expected a number.')
  return number
}

function parallel(value: string): number | 'none' {
  if (value === 'none') return value
  if (!/^\d{1,4}$/.test(value)) throw new InvalidArgumentError("Expected an integer from 0, or 'none'.")
  return Number(value)
}

/** Collects an option that may be repeated. */
export function append(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}

/** Splits an option that is a list. */
export function commaSeparated(value: string): string[] {
  return value.split(',').filter((name) => name !== '')
}

/** Parses the name of an encoding. */
export function encodingName(value: string): string {
  try {
    return encoding('--encoding', value)
  } catch (error) {
    throw new InvalidArgumentError(`${reasonOf(error)}.`)
  }
}

/** Adds the options of every family to a command. `standard` is the default model's name. */
export function addModelOptions(command: Command, standard: string): Command {
  return command
    .option('-m, --model <name>', `Use this supported model (default: ${standard}).`)
    .option(
      '--model-path <dir>',
      'Use the model in this directory, which has a tokenizer.json and an ONNX file.',
    )
    .option('--model-file <file>', 'Use this ONNX file of the model.')
    .option('--cache-dir <dir>', "Keep downloaded models in this directory (default: the hub's cache).")
    .option('--offline', 'Never use the network; a model that is not on this machine is an error.')
    .option(
      '--max-length <tokens>',
      'Cut texts after this many tokens (default: what the model says).',
      positiveInteger,
    )
    .option('--threads <n>', 'Use this many threads inside one run.', positiveInteger)
    .option(
      '--parallel <n>',
      "Compute this many runs at a time: 0 means one for each core, 'none' one run with all threads.",
      parallel,
    )
    .option(
      '--max-memory <amount>',
      'memory that all runs may take together, such as 512MB (default: what the longest text needs)',
    )
    .addOption(
      new Option('--device <device>', 'Compute on this device (default: cpu).').choices([
        'cpu',
        'cuda',
        'auto',
      ]),
    )
}

/** Adds the options of dense vectors to a command. */
export function addDenseOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--pooling <how>',
        'Make one vector of the token vectors in this way (default: what the model says).',
      ).choices(['cls', 'mean', 'last', 'max', 'mean-sqrt-len', 'weighted-mean', 'none']),
    )
    .option(
      '--dimensions <n>',
      'Cut vectors to this many dimensions. Only Matryoshka models are made for it.',
      positiveInteger,
    )
    .option('--no-normalize', 'Do not scale vectors to length 1.')
    .option('--prompt <text>', 'Write this before each text.')
    .addOption(
      new Option(
        '--prompts <which>',
        "Write the model's own prompts before texts: auto, or none (default: auto where --query or --passage says what texts are).",
      ).choices(['none', 'auto']),
    )
}

/** The API's options of every model but its `maxLength`, which images do not have. */
export function commonOptions(
  flags: ModelFlags,
): Pick<
  TextEmbeddingOptions,
  | 'model'
  | 'modelPath'
  | 'modelFile'
  | 'cacheDir'
  | 'localFilesOnly'
  | 'threads'
  | 'parallel'
  | 'maxMemory'
  | 'device'
> {
  const { parallel, offline } = flags
  return {
    ...pick(flags, ['model', 'modelPath', 'modelFile', 'cacheDir', 'threads', 'maxMemory', 'device']),
    ...(parallel !== undefined && { parallel: parallel === 'none' ? null : parallel }),
    ...(offline === true && { localFilesOnly: true }),
  }
}

/** What texts are to a search. */
export type Role = 'text' | 'query' | 'passage'

/**
 * The API's options of a dense text model. `role`: when the caller said what the texts are, the model's own prompt for
 * it applies unless refused.
 */
export function denseModelOptions(
  flags: DenseFlags,
  role: Role,
): Pick<TextEmbeddingOptions, 'pooling' | 'maxLength' | 'normalize' | 'prompts'> {
  const prompts = flags.prompts ?? (role === 'text' ? undefined : 'auto')
  return {
    ...pick(flags, ['pooling', 'maxLength']),
    ...(flags.normalize ? {} : { normalize: false }),
    ...(prompts !== undefined && { prompts }),
  }
}

/** The options of a call on dense text. */
export function denseCallOptions(flags: DenseFlags): { prompt?: string; dimensions?: number } {
  return pick(flags, ['prompt', 'dimensions'])
}

/** Those of the keys that have a value. */
export function pick<T extends object, K extends keyof T>(
  from: T,
  keys: readonly K[],
): { [P in K]?: Exclude<T[P], undefined> } {
  return Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]])) as {
    [P in K]?: Exclude<T[P], undefined>
  }
}
