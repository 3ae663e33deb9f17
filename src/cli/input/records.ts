/**
 * Texts out of files: a line each, or a field of a JSON record a line. Row `i` of an output belongs to record `i` here.
 * A record that has no text is given with the reason; what follows from that is the caller's decision.
 */

import { MillraceError } from '../../../index.js'
import { describeValue } from '../../is.js'
import { inputName, readBytes, STDIN } from './bytes.js'
import { fieldOf } from './fields.js'
import { type Line, readLines } from './lines.js'

/** `lines`: a text a line, empty ones too. `jsonl`: a JSON value a line, blank lines skipped. */
export type InputFormat = 'lines' | 'jsonl'

/** What to read of each record. */
export interface RecordOptions {
  /** Default: by the file's name. */
  format?: InputFormat
  /** Dotted path of the text in a JSON record. */
  field: string
  /** Dotted paths of what else to keep. */
  keep: readonly string[]
  /** Most records of all files. */
  limit?: number
}

/** One input. */
export interface TextRecord {
  text?: string
  /** Why there is no text. */
  problem?: MillraceError
  /** `file:line`. */
  place: string
  /** Kept fields by their path. */
  kept?: Record<string, unknown>
  /** Unpacked bytes of all files up to the end of this record. */
  end: number
}

/** The format that a file's name says. */
export function formatOf(path: string): InputFormat {
  return /\.(jsonl|ndjson)(\.gz)?$/i.test(path) ? 'jsonl' : 'lines'
}

/** The records of the files in order. Rejects with the system's error when one cannot be read. */
export async function* readRecords(
  paths: readonly string[],
  options: RecordOptions,
): AsyncGenerator<TextRecord, void, undefined> {
  let left = options.limit ?? Number.POSITIVE_INFINITY
  let before = 0
  for (const path of paths) {
    const format = options.format ?? (path === STDIN ? 'lines' : formatOf(path))
    const name = inputName(path)
    let end = before
    for await (const lines of readLines(name, readBytes(path))) {
      for (const line of lines) {
        end = before + line.end
        if (format === 'jsonl' && line.text?.trim() === '') continue
        yield toRecord(name, line, end, format, options)
        if (--left === 0) return
      }
    }
    before = end
  }
}

function toRecord(
  name: string,
  line: Line,
  end: number,
  format: InputFormat,
  { field, keep }: RecordOptions,
): TextRecord {
  const place = `${name}:${line.number}`
  const bad = (what: string, cause?: unknown): TextRecord => ({
    place,
    end,
    problem: new MillraceError('INPUT_INVALID', `${place}: ${what}`, cause === undefined ? {} : { cause }),
  })
  if (line.text === undefined) return bad('the line is not UTF-8')
  const kept = keep.length > 0
  if (format === 'lines') {
    return { text: line.text, place, end, ...(kept && { kept: { text: line.text } }) }
  }
  let value: unknown
  try {
    value = JSON.parse(line.text)
  } catch (error) {
    return bad(`the line is not JSON: ${error instanceof Error ? error.message : String(error)}`, error)
  }
  const text = typeof value === 'string' ? value : fieldOf(value, field)
  const fields = kept && { kept: keptFields(value, keep) }
  if (typeof text === 'string') return { text, place, end, ...fields }
  return { ...bad(`Expected string for field '${field}' but received ${describeValue(text)}`), ...fields }
}

function keptFields(value: unknown, keep: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keep.map((path) => [path, fieldOf(value, path) ?? null]))
}
