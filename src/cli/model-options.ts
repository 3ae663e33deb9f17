/** The options that say which model runs and how, shared by the commands, and their way into the API's options. */

import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Pooling, TextEmbeddingOptions } from '../../index.js'

/** What commander makes of {@link addModelOptions}. */
export interface ModelFlags {
  model?: string
  modelPath?: string
  modelFile?: string
  pooling?: Pooling
  maxLength?: number
  threads?: number
  parallel?: number | 'none'
  device?: 'cpu' | 'cuda' | 'auto'
  dimensions?: number
  normalize: boolean
  prompt?: string
}

/** Parses an option that is a whole number from 1. */
export function positiveInteger(value: string): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < 1 || number > 2 ** 31 - 1) {
    throw new InvalidArgumentError('Expected a positive integer.')
  }
  return number
}

function parallel(value: string): number | 'none' {
  if (value === 'none') return value
  if (!/^\d{1,4}$/.test(value)) throw new InvalidArgumentError("Expected an integer from 0, or 'none'.")
  return Number(value)
}

/** Adds the options to a command. */
export function addModelOptions(command: Command): Command {
  return command
    .option('-m, --model <name>', 'supported model (default: the bundled all-MiniLM-L6-v2)')
    .option('--model-path <dir>', 'directory of a model: tokenizer.json and an ONNX file')
    .option('--model-file <file>', 'the ONNX file inside that directory')
    .addOption(
      new Option('--pooling <how>', 'from token vectors to one (default: what the model says)').choices([
        'cls',
        'mean',
        'last',
        'max',
        'none',
      ]),
    )
    .option('--max-length <tokens>', 'longest text in tokens (default: what the model says)', positiveInteger)
    .option('--threads <n>', 'threads inside one run', positiveInteger)
    .option('--parallel <n>', "runs at a time: 0 one a core, 'none' one with all threads", parallel)
    .addOption(
      new Option('--device <device>', 'where to run (default: cpu)').choices(['cpu', 'cuda', 'auto']),
    )
    .option('--dimensions <n>', 'cut vectors to this size (Matryoshka models)', positiveInteger)
    .option('--no-normalize', 'leave vectors at their own length')
    .option('--prompt <text>', 'written before each text')
}

/** The API's options of a model. `role`: the caller said what the texts are, so the model's own prompt for it applies. */
export function modelOptions(
  flags: ModelFlags,
  role: 'text' | 'query' | 'passage',
): Omit<TextEmbeddingOptions, 'dtype' | 'errors'> {
  const { prompt: _prompt, normalize, dimensions: _dimensions, parallel, ...given } = flags
  return {
    ...pick(given, ['model', 'modelPath', 'modelFile', 'pooling', 'maxLength', 'threads', 'device']),
    ...(parallel !== undefined && { parallel: parallel === 'none' ? null : parallel }),
    ...(normalize ? {} : { normalize: false }),
    ...(role !== 'text' && { prompts: 'auto' }),
  }
}

/** The options of a call. */
export function callOptions({ prompt, dimensions }: ModelFlags): { prompt?: string; dimensions?: number } {
  return { ...(prompt !== undefined && { prompt }), ...(dimensions !== undefined && { dimensions }) }
}

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]),
  ) as Pick<T, K>
}
