/**
 * Walks over metadata: what documents may carry beside their text, and what of it a store cannot hold. Metadata are checked once, where documents
 * come in; stores change the strings that they cannot hold, never the JSON that is made of them.
 */

import { describeValue } from '../base/is.js'
import type { JsonValue } from './document.js'

/**
 * Levels of objects and lists. Parsers of JSON in stores end earlier than ours: that of Qdrant at 128 levels, of which the record around the
 * metadata takes some.
 */
const MOST_LEVELS = 100

/** How much of a field's path a message shows: that of one which is nested too deep has hundreds of characters. */
const SHOWN_PATH = 80

/** A value that JSON cannot hold, or would change without a word. */
export interface NoJson {
  /** Where it is: `metadata.tags.2`. */
  path: string
  /** What was expected there. */
  expected: string
  received: string
}

/**
 * The value as JSON holds it, or what about it is no JSON. Values with `toJSON`, such as dates, become what that gives; properties that are undefined
 * are left out. Refused is what JSON would change in silence: maps and regular expressions become `{}`, functions vanish, NaN becomes null.
 */
export function jsonOf(path: string, value: unknown): { json: JsonValue } | { no: NoJson } {
  const refusals: NoJson[] = []
  const json = convert(path, value, 0, refusals)
  const [no] = refusals
  return no === undefined ? { json } : { no }
}

/** Converts what is below `path`. What it refuses it puts down in `refusals`, with null in its place. */
function convert(path: string, given: unknown, level: number, refusals: NoJson[]): JsonValue {
  const refuse = (expected: string): null => {
    const shown = path.length > SHOWN_PATH ? `${path.slice(0, SHOWN_PATH)}…` : path
    refusals.push({ path: shown, expected, received: describeValue(given) })
    return null
  }
  // The first refusal is told; there may be millions.
  if (refusals.length > 0) return null
  const value = hasToJson(given) ? given.toJSON() : given
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : refuse('finite number')
  if (typeof value !== 'object') return refuse('value that JSON can hold')
  if (level === MOST_LEVELS) return refuse(`at most ${MOST_LEVELS} levels of objects and lists`)
  if (Array.isArray(value)) return value.map((item, i) => convert(`${path}.${i}`, item, level + 1, refusals))
  if (!isPlain(value)) return refuse('value that JSON can hold')
  const result: { [key: string]: JsonValue } = {}
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue
    const json = convert(`${path}.${key}`, item, level + 1, refusals)
    // A plain assignment to `__proto__` would set the prototype and lose the value.
    Object.defineProperty(result, key, { value: json, enumerable: true, configurable: true, writable: true })
  }
  return result
}

function hasToJson(value: unknown): value is { toJSON(): unknown } {
  return (
    typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function'
  )
}

/** An object literal of this realm or another: its prototype, if it has one, is the last. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return (
    prototype === null ||
    (Object.prototype.toString.call(value) === '[object Object]' && Object.getPrototypeOf(prototype) === null)
  )
}

/** The value with every string in it, names of properties too, changed. */
export function mapStrings(value: JsonValue, change: (text: string) => string): JsonValue {
  if (typeof value === 'string') return change(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [change(key), mapStrings(item, change)]),
  )
}

/** Half a surrogate pair has no UTF-8: it becomes U+FFFD, as text decoders have it. Whole pairs are other code points, and none of this class. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd')
}

/** Well-formed and without NUL, which PostgreSQL has in no text. */
export function withoutNul(text: string): string {
  return wellFormed(text).replaceAll('\u0000', '\ufffd')
}
