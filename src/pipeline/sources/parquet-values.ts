/**
 * Values of Parquet columns without loss. hyparquet's own parsers replace bytes that are no UTF-8, round the integers in JSON columns, and cut
 * times to milliseconds.
 */

import { isUtf8 } from 'node:buffer'
import { isBytes } from '../../base/foreign.js'
import { parseJson } from './json.js'

/** A value that its column says is text and that is none. */
class NoText {}

const NO_TEXT = new NoText()

/** What hyparquet makes of bytes and of times. */
export const PARSERS = {
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && textOf(bytes),
  jsonFromBytes(bytes: Uint8Array | undefined): unknown {
    const text = bytes && textOf(bytes)
    return typeof text === 'string' ? parseJson(text) : text
  },
  timestampFromMicroseconds: (micros: bigint) => timeOf(micros, 1_000n, 3),
  timestampFromNanoseconds: (nanos: bigint) => timeOf(nanos, 1_000_000n, 6),
}

function textOf(bytes: Uint8Array): string | NoText {
  return isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString() : NO_TEXT
}

/** A date, or ISO 8601 with all digits where a date would lose some. `digits`: of what is finer than a millisecond. */
function timeOf(value: bigint, perMillisecond: bigint, digits: number): Date | string {
  const finer = ((value % perMillisecond) + perMillisecond) % perMillisecond
  const date = new Date(Number((value - finer) / perMillisecond))
  if (finer === 0n || Number.isNaN(date.getTime())) return date
  return date.toISOString().replace('Z', `${String(finer).padStart(digits, '0')}Z`)
}

/**
 * Older writers keep text in columns that only say "bytes". Such a column is text if all its values in these rows are UTF-8; else they stay bytes. `columns`: those of
 * plain bytes.
 * Returns what makes text of the right columns of a row.
 */
export function textColumns(
  rows: readonly Record<string, unknown>[],
  columns: readonly string[],
): (row: Record<string, unknown>) => Record<string, unknown> {
  const isText = (value: unknown) => !isBytes(value) || isUtf8(value)
  const names = columns.filter((name) => rows.every((row) => isText(row[name])))
  if (names.length === 0) return (row) => row
  return (row) => {
    const texts = names.flatMap((name) => {
      const value = row[name]
      return isBytes(value) ? [[name, Buffer.from(value).toString()] as const] : []
    })
    return { ...row, ...Object.fromEntries(texts) }
  }
}

/** The dotted path of a field with text that is none. */
export function unreadableField(value: unknown): string | undefined {
  if (value instanceof NoText) return ''
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined
  for (const [name, part] of Object.entries(value)) {
    const inner = unreadableField(part)
    if (inner !== undefined) return inner === '' ? name : `${name}.${inner}`
  }
  return undefined
}
