/** The texts of files: a whole file each, or a JSON record a line. */

import { inputName, readWhole, STDIN } from '../../pipeline/sources/bytes.js'
import { decodeText } from '../../pipeline/sources/encoding.js'
import { formatOf, readRecords } from '../input/records.js'
import { strings } from '../input/shapes.js'
import type { ChunkFlags } from './flags.js'

/** One text. */
export interface ChunkInput {
  text: string
  /** The file, with the line of a record. */
  source: string
  /** Fields of a record to copy. */
  kept?: Record<string, unknown>
}

/** Greatest file that is one text: its string, its copy in the addon and the places to cut it need several times as much. */
const MAX_TEXT_BYTES = 256 * 1024 * 1024

/** The texts in order. Rejects with the system's error, or INPUT_INVALID for what is no text. */
export async function* readInputs(
  files: readonly string[],
  {
    format,
    field,
    keep,
    encoding,
    html,
  }: Pick<ChunkFlags, 'format' | 'field' | 'keep' | 'encoding' | 'html'>,
): AsyncGenerator<ChunkInput, void, undefined> {
  for (const file of files) {
    const jsonl = format === 'jsonl' || (format === undefined && file !== STDIN && formatOf(file) === 'jsonl')
    if (!jsonl) {
      yield { text: await readText(file, encoding, html === true), source: inputName(file) }
      continue
    }
    const shape = strings(field)
    for await (const { item, problem, place, kept } of readRecords([file], {
      format: 'jsonl',
      shape,
      keep,
    })) {
      if (item === undefined) throw problem
      yield { text: item, source: place, ...(kept !== undefined && { kept }) }
    }
  }
}

async function readText(file: string, encoding: string | undefined, isHtml: boolean): Promise<string> {
  return decodeText(inputName(file), await readWhole(file, MAX_TEXT_BYTES), { encoding, isHtml })
}
