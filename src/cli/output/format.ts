/** Which output formats there are, and which one is meant. Writing them is in `writers.ts`. */

import { usageError } from '../exit.js'

/** `f32`: the values alone, little-endian. */
export type OutputFormat = 'npy' | 'jsonl' | 'f32'

const EXTENSIONS: readonly [RegExp, OutputFormat][] = [
  [/\.npy$/i, 'npy'],
  [/\.(jsonl|ndjson)$/i, 'jsonl'],
  [/\.(f32|bin)$/i, 'f32'],
]

/** The format that a file's name says. */
export function outputFormatOf(path: string): OutputFormat | undefined {
  return EXTENSIONS.find(([pattern]) => pattern.test(path))?.[1]
}

/** The format of an output: what was asked for, else by its name; JSON lines on standard output. */
export function chooseFormat(output: string | undefined, to: OutputFormat | undefined): OutputFormat {
  if (to !== undefined) return to
  if (output === undefined) return 'jsonl'
  const format = outputFormatOf(output)
  if (format !== undefined) return format
  throw usageError(
    `Expected --to npy, jsonl or f32, or --output with such an extension, but received ${output}`,
  )
}
