/** What all sources of files are: documents that can be read again, and values that fit metadata. */

import { MillraceError } from '../../base/errors.js'
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
}

/** The document of a record. `place` is its id where the record has none. */
export function documentOf(
  record: unknown,
  place: string,
  shape: RecordShape,
): PipelineDocument | UnreadableDocument {
  const id = idOf(fieldOf(record, shape.id)) ?? place
  const texts = shape.text
    .map((path) => fieldOf(record, path))
    .filter((value) => value !== undefined && value !== null)
  const wrong = texts.find((value) => typeof value !== 'string')
  if (texts.length === 0 || wrong !== undefined) {
    const fields = shape.text.map((path) => `'${path}'`).join(', ')
    const found = wrong === undefined ? 'nothing' : typeof wrong
    return {
      id,
      error: new MillraceError(
        'INPUT_INVALID',
        `${place}: expected string for field ${fields} but received ${found}`,
      ),
    }
  }
  const { format } = shape
  return {
    id,
    text: texts.join('\n\n'),
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

/** The value as JSON has it: dates in ISO 8601, bytes in base64, large integers as text. */
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
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
      if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
      if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, toJson)
      if (Array.isArray(value)) return value.map(toJson)
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, toJson(part)]))
    default:
      return null
  }
}

/** One path or several. */
export function pathList(paths: string | readonly string[]): readonly string[] {
  return typeof paths === 'string' ? [paths] : paths
}
