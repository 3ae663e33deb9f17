/**
 * Items out of files: one a line, or out of a JSON record a line. Row `i` of an output belongs to record `i` here. What an
 * item is, is said by its shape (`shapes.ts`). A record that has no item is given with the reason; what follows from
 * that is the caller's decision.
 */

import { MillraceError } from '../../../index.js'
import { inputName, readBytes, STDIN } from '../../pipeline/sources/bytes.js'
import { fieldOf } from '../../pipeline/sources/fields.js'
import { readJsonLines } from '../../pipeline/sources/json-lines.js'
import { readLines } from '../../pipeline/sources/lines.js'

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
  /** Encoding of plain lines; JSON is UTF-8. Default: UTF-8, unless a byte order mark says otherwise. */
  encoding?: string | undefined
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

/**
 * The records of the files in order; `end` counts unpacked bytes. Blank lines of JSON files are skipped. Rejects with the system's error when
 * a file cannot be read.
 */
export async function* readRecords<T>(
  paths: readonly string[],
  options: RecordOptions<T>,
): AsyncGenerator<InputRecord<T>, void, undefined> {
  let before = 0
  for (const path of paths) {
    const format = options.format ?? (path === STDIN ? 'lines' : formatOf(path))
    const name = inputName(path)
    const read = format === 'jsonl' ? readJsonLines(readBytes(path)) : readPlainLines(path, options.encoding)
    let end = before
    for await (const lines of read) {
      for (const line of lines) {
        end = before + line.end
        yield toRecord(`${name}:${line.number}`, line, end, format, options)
      }
    }
    before = end
  }
}

/** A line as both formats give it: a text, or a JSON value, or what is wrong. */
interface ReadLine {
  number: number
  value?: unknown
  problem?: MillraceError
  end: number
}

async function* readPlainLines(
  path: string,
  encoding: string | undefined,
): AsyncGenerator<ReadLine[], void, undefined> {
  for await (const lines of readLines(readBytes(path), encoding)) {
    yield lines.map(({ number, text, problem, end }) =>
      text === undefined
        ? { number, end, problem: new MillraceError('INPUT_INVALID', problem ?? 'it cannot be read') }
        : { number, end, value: text },
    )
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
  place: string,
  { value, problem }: ReadLine,
  end: number,
  format: InputFormat,
  { shape, keep }: RecordOptions<T>,
): InputRecord<T> {
  let fields: Record<string, unknown> | undefined
  try {
    if (problem !== undefined) throw problem
    if (format === 'jsonl' && keep.length > 0) fields = keptFields(value, keep)
    const { item, kept } = format === 'jsonl' ? shape.fromJson(value) : shape.fromLine(value as string)
    return { item, place, end, ...keptOf(fields, kept) }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    const { cause } = error
    const details = cause === undefined ? {} : { cause }
    const told = new MillraceError(error.code, `${place}: ${error.message}`, details)
    return { place, end, problem: told, ...keptOf(fields, undefined) }
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
