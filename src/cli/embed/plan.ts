/** From the flags of `millrace embed` to a plan that can only be carried out: everything refused is refused here. */

import { access } from 'node:fs/promises'
import type { DType, ErrorMode } from '../../../index.js'
import { usageError } from '../exit.js'
import { STDIN } from '../input/bytes.js'
import type { InputFormat, RecordOptions } from '../input/records.js'
import type { ModelFlags } from '../model-options.js'
import { STDOUT } from '../output/destination.js'
import { chooseFormat, type OutputFormat } from '../output/format.js'
import { RESERVED_FIELDS } from '../output/writers.js'

/** What commander makes of the options. */
export interface EmbedFlags extends ModelFlags {
  format?: InputFormat
  field?: string
  keep?: string[]
  limit?: number
  output?: string
  to?: OutputFormat
  batchSize?: number
  maxBatchTokens?: number
  dtype: DType
  overflow: 'truncate' | 'error'
  errors: ErrorMode
  query?: boolean
  passage?: boolean
  quiet?: boolean
  json?: boolean
}

/** A checked run. */
export interface EmbedPlan {
  files: readonly string[]
  records: RecordOptions
  format: OutputFormat
  /** Path, or {@link STDOUT}. */
  output: string
  /** Where the scales of quantised rows go; .npy only. */
  scales?: string
  role: 'text' | 'query' | 'passage'
}

/** Checks the flags together and that the files can be read. Throws INVALID_OPTION or the system's error. */
export async function planEmbed(files: readonly string[], flags: EmbedFlags): Promise<EmbedPlan> {
  const format = chooseFormat(flags.output, flags.to)
  const output = flags.output ?? STDOUT
  if (output === STDOUT && flags.json === true) {
    throw usageError('Expected --output FILE with --json: standard output cannot carry both')
  }
  if (output === STDOUT && format !== 'jsonl' && process.stdout.isTTY) {
    throw usageError(`Expected --output FILE for ${format}: standard output is a terminal`)
  }
  if (format === 'f32' && flags.dtype !== 'float32') {
    throw usageError(`Expected --dtype float32 for f32 output but received '${flags.dtype}'`)
  }
  if (files.filter((file) => file === STDIN).length > 1) throw usageError('Expected - (standard input) once')
  const scaled = format === 'npy' && (flags.dtype === 'int8' || flags.dtype === 'uint8')
  if (scaled && output === STDOUT) {
    throw usageError(`Expected --output FILE for --dtype ${flags.dtype}: the scales are a second file`)
  }
  await Promise.all(files.filter((file) => file !== STDIN).map((file) => access(file)))
  return {
    files,
    records: {
      field: flags.field ?? 'text',
      keep: keptFields(flags.keep ?? [], format),
      ...(flags.format !== undefined && { format: flags.format }),
      ...(flags.limit !== undefined && { limit: flags.limit }),
    },
    format,
    output,
    ...(scaled && { scales: output.replace(/(\.npy)?$/i, '.scales.npy') }),
    role: flags.query === true ? 'query' : flags.passage === true ? 'passage' : 'text',
  }
}

function keptFields(keep: readonly string[], format: OutputFormat): readonly string[] {
  if (keep.length > 0 && format !== 'jsonl') throw usageError('Expected JSON lines as output with --keep')
  const reserved = keep.find((name) => RESERVED_FIELDS.includes(name))
  if (reserved === undefined) return keep
  throw usageError(
    `Expected other fields than ${RESERVED_FIELDS.join(', ')} for --keep but received '${reserved}'`,
  )
}
