/** What `millrace index` can be told, by options and by a configuration file, and how the two become one. */

import { readFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import type { DType } from '../../../index.js'
import { reasonOf } from '../../base/foreign.js'
import { usageError } from '../exit.js'
import type { DenseFlags } from '../model-options.js'
import { checkConfig } from './config.js'

/** What commander, or a configuration file, makes of the options. */
export interface IndexFlags extends DenseFlags {
  config?: string
  inputs?: string[]
  to?: string
  from?: InputKind
  id?: string
  text?: string[]
  metadata?: string[] | true
  textFormat?: 'text' | 'markdown' | 'html'
  encoding?: string
  delimiter?: string
  quotes?: 'double' | 'none'
  /** `false` with --no-header. */
  header: boolean
  /** `true` is the default sparse model. */
  sparse?: string | boolean
  dense: boolean
  dtype?: DType
  chunk: boolean
  chunkTokens?: number
  overlap?: number
  by?: 'auto' | 'sentence' | 'markdown' | 'tokens'
  clean: boolean
  minLength?: number
  languages?: string[]
  duplicates?: 'exact' | 'near'
  cache?: string
  cacheBytes?: number
  /** `false` with --no-journal; `true` is commander's default. */
  journal?: string | boolean
  deadLetters?: string
  prune?: boolean
  pruneAll?: boolean
  retryFailed?: boolean
  limit?: number
  batchRecords?: number
  overwrite?: boolean
  quiet?: boolean
  json?: boolean
}

/** How an input is read. */
export const INPUT_KINDS = ['folder', 'files', 'lines', 'jsonl', 'csv', 'parquet'] as const

export type InputKind = (typeof INPUT_KINDS)[number]

/** Whether the only argument is a configuration rather than an input. */
function isConfig(inputs: readonly string[]): boolean {
  return inputs.length === 1 && ['.json', '.mjs'].includes(extname(inputs[0] ?? '').toLowerCase())
}

/**
 * The flags of a call: what the command line says, then what the configuration says, then the defaults.
 *
 * @throws MillraceError INVALID_OPTION for a word that the configuration cannot have; or the system's error.
 */
export async function readFlags(command: Command, inputs: readonly string[]): Promise<IndexFlags> {
  const flags = command.opts<IndexFlags>()
  const path = flags.config ?? (isConfig(inputs) ? inputs[0] : undefined)
  const given = flags.config === undefined && path !== undefined ? [] : inputs
  const config = path === undefined ? {} : checkConfig(path, await load(path), command.options)
  const said = Object.keys(flags).filter((name) => command.getOptionValueSource(name) === 'cli')
  const onTop = Object.fromEntries(said.map((name) => [name, flags[name as keyof IndexFlags]]))
  const merged: IndexFlags = { ...flags, ...config, ...onTop }
  if (given.length > 0) merged.inputs = [...given]
  return merged
}

async function load(path: string): Promise<unknown> {
  if (extname(path).toLowerCase() === '.mjs') {
    const module: { default?: unknown } = await import(pathToFileURL(resolve(path)).href)
    return module.default
  }
  const text = await readFile(path, 'utf8')
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw usageError(`${path} is not JSON: ${reasonOf(cause)}`)
  }
}
