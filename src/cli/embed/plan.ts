/** From the flags of `millrace embed` to a plan that can only be carried out: everything refused is refused here. */

import { isLeveled } from '../../formats/dtype.js'
import { STDIN } from '../../pipeline/sources/bytes.js'
import { usageError } from '../exit.js'
import type { EmbedFlags, Family } from '../families/family.js'
import { FAMILIES } from '../families/index.js'
import { chooseFamily, type FamilyName } from '../families/names.js'
import { openImages } from '../input/images.js'
import { openRecords } from '../input/open-records.js'
import type { Input } from '../input/records.js'
import { strings } from '../input/shapes.js'
import type { Role } from '../model-options.js'
import { STDOUT } from '../output/destination.js'
import { chooseFormat, type OutputFormat } from '../output/format.js'
import { RESERVED_FIELDS } from '../output/jsonl-writer.js'
import { checkScopes } from './scopes.js'

/** A checked run. */
export interface EmbedPlan {
  family: Family
  familyName: FamilyName
  /** The family was told by the model's name. */
  inferred: boolean
  items: 'texts' | 'images'
  input: Input<string>
  format: OutputFormat
  /** Path, or {@link STDOUT}. */
  output: string
  /** Where the scales of quantised rows go; .npy only. */
  scales?: string
  role: Role
}

/** Checks the flags together and that the files can be read. Throws INVALID_OPTION or the system's error. */
export async function planEmbed(files: readonly string[], flags: EmbedFlags): Promise<EmbedPlan> {
  const { family: familyName, inferred } = chooseFamily(flags.family, flags.model)
  const family = FAMILIES[familyName]
  const items = family.items(flags)
  checkScopes(flags, familyName, items)
  const format = chooseFormat(flags.output, flags.to, family.outputs, family.vectors)
  const output = flags.output ?? STDOUT
  const scales = checkOutput(flags, format, output)
  const keep = keptFields(flags.keep ?? [], format, items)
  return {
    family,
    familyName,
    inferred,
    items,
    input: await openInput(files, flags, items, keep),
    format,
    output,
    ...(scales !== undefined && { scales }),
    role: flags.query === true ? 'query' : flags.passage === true ? 'passage' : 'text',
  }
}

/** Returns the path of the scales, where there are some. */
function checkOutput(flags: EmbedFlags, format: OutputFormat, output: string): string | undefined {
  const { dtype = 'float32' } = flags
  if (output === STDOUT && flags.json === true) {
    throw usageError('Expected --output FILE with --json: standard output cannot carry both')
  }
  if (output === STDOUT && format !== 'jsonl' && process.stdout.isTTY) {
    throw usageError(`Expected --output FILE for ${format}: standard output is a terminal`)
  }
  if (format === 'f32' && dtype !== 'float32') {
    throw usageError(`Expected --dtype float32 for f32 output but received '${dtype}'`)
  }
  if (format !== 'npy' || !isLeveled(dtype)) return undefined
  if (output === STDOUT) {
    throw usageError(`Expected --output FILE for --dtype ${dtype}: the scales are a second file`)
  }
  return output.replace(/(\.npy)?$/i, '.scales.npy')
}

function openInput(
  files: readonly string[],
  flags: EmbedFlags,
  items: EmbedPlan['items'],
  keep: readonly string[],
): Promise<Input<string>> {
  const lists = flags.list ?? []
  checkFiles([...files, ...lists])
  const format = flags.format !== undefined && { format: flags.format }
  if (items === 'images') {
    return openImages(files, lists, { field: flags.field ?? 'path', keep, ...format })
  }
  const own = keep.length > 0 ? ({ name: 'text', of: 'lines' } as const) : undefined
  const { encoding } = flags
  return openRecords(files, { shape: strings(flags.field ?? 'text', own), keep, encoding, ...format })
}

/** Refuses none, and standard input twice. */
export function checkFiles(files: readonly string[]): void {
  if (files.length === 0) throw usageError("missing required argument 'file'")
  if (files.filter((file) => file === STDIN).length > 1) throw usageError('Expected - (standard input) once')
}

function keptFields(
  keep: readonly string[],
  format: OutputFormat,
  items: EmbedPlan['items'],
): readonly string[] {
  if (keep.length > 0 && format !== 'jsonl') throw usageError('Expected JSON lines as output with --keep')
  return unreserved(keep, items === 'images' ? [...RESERVED_FIELDS, 'path'] : RESERVED_FIELDS)
}

/** The fields to keep, none of which may be one of `reserved`. */
export function unreserved(keep: readonly string[], reserved: readonly string[]): readonly string[] {
  const taken = keep.find((name) => reserved.includes(name))
  if (taken === undefined) return keep
  throw usageError(`Expected other fields than ${reserved.join(', ')} for --keep but received '${taken}'`)
}
