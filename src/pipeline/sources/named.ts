/** What all sources of files are: documents that can be read again, and values that fit metadata. */

import { normalize } from 'node:path'
import { MillraceError } from '../../base/errors.js'
import { isBytes, isDate, isError, reasonOf } from '../../base/foreign.js'
import { describeValue } from '../../base/is.js'
import { didYouMean, nearest } from '../../base/suggest.js'
import type { JsonValue, NamedDocumentSource, PipelineDocument, UnreadableDocument } from '../document.js'
import { fieldOf } from './fields.js'

/** Documents, or why there is none at a place. */
export type Documents = AsyncGenerator<PipelineDocument | UnreadableDocument, void, undefined>

/** A source whose every reading begins anew. */
export function named(
  name: string,
  read: () => Documents,
  count?: () => Promise<number | undefined>,
): NamedDocumentSource {
  return { name, [Symbol.asyncIterator]: read, ...(count !== undefined && { count }) }
}

/** How a record becomes a document. */
export interface RecordShape {
  /** Dotted path of the field with the id. */
  id: string
  /** Dotted paths of the fields that make the text, put together with an empty line between. */
  text: readonly string[]
  /** Dotted paths of what is kept; `true` for all that is neither id nor text. */
  metadata: readonly string[] | true
  format: PipelineDocument['format']
  /** The fields that the caller named and that need not be in every record: a name that is in none is a mistake. */
  asked: readonly string[]
}

/**
 * The documents of each file. A file that turns out to be broken, or that the system refuses to read, is told as one document that cannot be read,
 * and the next file goes on.
 *
 * @throws the system's ENOENT: a file that was named and is not there is a mistake of the call.
 */
export async function* eachFile(paths: readonly string[], read: (path: string) => Documents): Documents {
  for (const path of paths) {
    try {
      yield* read(path)
    } catch (error) {
      const problem = fileProblem(path, error)
      if (problem === undefined) throw error
      yield { id: path, error: problem }
    }
  }
}

/** INPUT_INVALID with the file's name, for what is a fault of the file rather than of the call or of this code. */
function fileProblem(path: string, error: unknown): MillraceError | undefined {
  if (error instanceof MillraceError) return error.code === 'INPUT_INVALID' ? error : undefined
  if (!isError(error) || !('syscall' in error) || !('code' in error)) return undefined
  return error.code === 'ENOENT' ? undefined : cannotRead(path, error)
}

/** The error of a file that the system does not let us read. */
export function cannotRead(path: string, cause: unknown): MillraceError {
  return new MillraceError('INPUT_INVALID', `Cannot read ${path}: ${reasonOf(cause)}`, { cause })
}

/** Refuses a file of columns that lacks a column which was asked for, or all of those with the text. */
export function requireColumns(path: string, columns: readonly string[], shape: RecordShape): void {
  const has = (field: string) => columns.includes(field) || columns.includes(field.split('.')[0] ?? '')
  const absent = shape.asked.find((field) => !has(field))
  const missing = absent ?? (shape.text.some(has) ? undefined : shape.text[0])
  if (missing === undefined) return
  throw new MillraceError(
    'INPUT_INVALID',
    `${path} has no column '${missing}'${didYouMean(nearest(missing, columns))}; its columns are: ${columns.join(', ')}`,
  )
}

/** The document of a record. `place` is its id where the record has none. */
export function documentOf(
  record: unknown,
  place: string,
  shape: RecordShape,
): PipelineDocument | UnreadableDocument {
  const id = idOf(fieldOf(record, shape.id)) ?? place
  const texts = shape.text
    .map((path) => ({ path, value: fieldOf(record, path) }))
    .filter(({ value }) => value !== undefined && value !== null)
  const wrong = texts.find(({ value }) => typeof value !== 'string')
  if (texts.length === 0 || wrong !== undefined) {
    const fields = shape.text.map((path) => `'${path}'`).join(', ')
    const message =
      wrong === undefined
        ? `${place}: expected string for field ${fields} but received nothing`
        : `${place}: expected string for field '${wrong.path}' but received ${describeValue(wrong.value)}`
    return { id, error: new MillraceError('INPUT_INVALID', message) }
  }
  const { format } = shape
  return {
    id,
    text: texts.map(({ value }) => value).join('\n\n'),
    metadata: metadataOf(record, shape),
    ...(format !== undefined && { format }),
  }
}

function metadataOf(record: unknown, { id, text, metadata }: RecordShape): Record<string, JsonValue> {
  if (metadata === true) {
    const all = Object.entries(record as object).filter(([name]) => name !== id && !text.includes(name))
    return Object.fromEntries(all.map(([name, value]) => [name, toJson(value)]))
  }
  return Object.fromEntries(metadata.map((path) => [path, toJson(fieldOf(record, path) ?? null)]))
}

function idOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : undefined
}

/** Integers that a number holds exactly. */
const isSafe = (value: bigint) =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)

/** The value as JSON has it: dates in ISO 8601, bytes in base64, integers beyond 2^53 as text, digit by digit. */
export function toJson(value: unknown): JsonValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : null
    case 'bigint':
      return isSafe(value) ? Number(value) : String(value)
    case 'object':
      if (value === null) return null
      if (isDate(value)) return Number.isNaN(value.getTime()) ? null : value.toISOString()
      if (isBytes(value)) return Buffer.from(value).toString('base64')
      if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, toJson)
      if (Array.isArray(value)) return value.map(toJson)
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, toJson(part)]))
    default:
      return null
  }
}

/** One path or several, each in its shortest spelling: `./n.txt` and `n.txt` are one file and give the same ids. */
export function pathList(paths: string | readonly string[]): readonly string[] {
  return (typeof paths === 'string' ? [paths] : paths).map(normalize)
}
