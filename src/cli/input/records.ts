/**
 * Items out of files: one a line, or out of a JSON record a line. Row `i` of an output belongs to record `i` here. What an
 * item is, is said by its shape (`shapes.ts`). A record that has no item is given with the reason; what follows from
 * that is the caller's decision.
 */

import { MillraceError } from '../../../index.js'
import { inputName, readBytes, STDIN } from '../../pipeline/sources/bytes.js'
import { fieldOf } from '../../pipeline/sources/fields.js'
import { type Line, readLines } from '../../pipeline/sources/lines.js'

/** `lines`: an item a line, empty ones too. `jsonl`: a JSON value a line, blank lines skipped. */
export type InputFormat = 'lines' | 'jsonl'

/** What is taken of a record. */
export interface Taken<T> {
  item: T
  /** What to keep of the item itself, by name. */
  kept?: Record<string, unknown>
}

/** What items are and how records hold them. Both functions throw INPUT_INVALID for a record that has none. */
export interface ItemShape<T> {
  fromLine(line: string): Taken<T>
  fromJson(value: unknown): Taken<T>
}

/** What to read of each record. */
export interface RecordOptions<T> {
  /** Default: by the file's name. */
  format?: InputFormat
  shape: ItemShape<T>
  /** Dotted paths of what else to keep of a JSON record. */
  keep: readonly string[]
}

/** One input. */
export interface InputRecord<T> {
  item?: T
  /** Why there is no item. */
  problem?: MillraceError
  /** `file:line`, or the file that is the item. */
  place: string
  /** Kept fields by their path. */
  kept?: Record<string, unknown>
  /** How much of the input is read with this record, in the unit of {@link Input.total}. */
  end: number
}

/** Everything that one run reads. */
export interface Input<T> {
  /** Read once. */
  records: AsyncIterable<InputRecord<T>>
  /** What the last record's `end` will be, where it is known: only for showing progress. */
  total: number | undefined
}

/** The format that a file's name says. */
export function formatOf(path: string): InputFormat {
  return /\.(jsonl|ndjson)(\.gz)?$/i.test(path) ? 'jsonl' : 'lines'
}

/** The records of the files in order; `end` counts unpacked bytes. Rejects with the system's error when one cannot be read. */
export async function* readRecords<T>(
  paths: readonly string[],
  options: RecordOptions<T>,
): AsyncGenerator<InputRecord<T>, void, undefined> {
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
      }
    }
    before = end
  }
}

/** The first `most` of them. */
export async function* firstOf<R>(
  records: AsyncIterable<R>,
  most: number,
): AsyncGenerator<R, void, undefined> {
  let left = most
  for await (const record of records) {
    yield record
    if (--left === 0) return
  }
}

function toRecord<T>(
  name: string,
  line: Line,
  end: number,
  format: InputFormat,
  { shape, keep }: RecordOptions<T>,
): InputRecord<T> {
  const place = `${name}:${line.number}`
  let fields: Record<string, unknown> | undefined
  try {
    if (line.text === undefined) throw new MillraceError('INPUT_INVALID', 'the line is not UTF-8')
    const value = format === 'jsonl' ? parse(line.text) : undefined
    if (format === 'jsonl' && keep.length > 0) fields = keptFields(value, keep)
    const { item, kept } = format === 'jsonl' ? shape.fromJson(value) : shape.fromLine(line.text)
    return { item, place, end, ...keptOf(fields, kept) }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    const { cause } = error
    const details = cause === undefined ? {} : { cause }
    const problem = new MillraceError(error.code, `${place}: ${error.message}`, details)
    return { place, end, problem, ...keptOf(fields, undefined) }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new MillraceError('INPUT_INVALID', `the line is not JSON: ${reason}`, { cause })
  }
}

function keptOf(
  fields: Record<string, unknown> | undefined,
  own: Record<string, unknown> | undefined,
): { kept?: Record<string, unknown> } {
  return fields === undefined && own === undefined ? {} : { kept: { ...fields, ...own } }
}

function keptFields(value: unknown, keep: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keep.map((path) => [path, fieldOf(value, path) ?? null]))
}
