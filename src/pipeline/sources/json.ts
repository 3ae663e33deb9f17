/**
 * JSON without loss: integers that a number cannot hold are kept digit by digit, and what nothing can hold is refused. It reads and writes
 * single values; lines of them are read in `json-lines.ts`.
 */

import { randomUUID } from 'node:crypto'
import { MillraceError } from '../../base/errors.js'
import { isError, reasonOf } from '../../base/foreign.js'

/**
 * Strings, which are skipped, and numbers. A string is matched in runs of ordinary characters: one alternative a character
 * overflowed the stack of the regular expression on a string of twelve million.
 */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(\.\d+)?([eE][+-]?\d+)?/g

/** Without so many digits in a row, or an exponent, every number of a text is exact, or as near as numbers come. */
const MAY_LOSE = /\d{16}|\d[eE][+-]?\d{3}/

/** Stands around the digits of a large integer while it is a string; new in each process, so that no text has it. */
const MARK = `\u0000${randomUUID()}\u0000`

/**
 * The value of a JSON text. Integers beyond 2^53 are `bigint`s.
 *
 * @throws MillraceError INPUT_INVALID for what is no JSON, and for numbers beyond the range of float64.
 */
export function parseJson(text: string): unknown {
  try {
    if (!MAY_LOSE.test(text)) return JSON.parse(text)
    JSON.parse(text) // its error speaks of the text as it is
  } catch (cause) {
    throw new MillraceError('INPUT_INVALID', `the line is not JSON: ${reasonOf(cause)}`, { cause })
  }
  const kept = text.replace(TOKENS, (token: string, fraction?: string, exponent?: string) => {
    if (token.startsWith('"')) return token
    const value = Number(token)
    if (!Number.isFinite(value)) {
      throw new MillraceError('INPUT_INVALID', `the number ${token} is too large to be kept`)
    }
    if (fraction !== undefined || exponent !== undefined || Number.isSafeInteger(value)) return token
    return JSON.stringify(`${MARK}${token}`)
  })
  return JSON.parse(kept, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value,
  )
}

/** The JSON text of a value; `bigint`s are written as the integers that they are. */
export function toJsonText(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    // It holds a `bigint`. Looking for one beforehand would slow down every row of numbers.
    if (!isError(error) || error.name !== 'TypeError') throw error
  }
  const text = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'bigint' ? `${MARK}${part}` : part,
  )
  const escaped = JSON.stringify(MARK).slice(1, -1).replaceAll('\\', '\\\\')
  return text.replace(new RegExp(`"${escaped}(-?\\d+)"`, 'g'), '$1')
}
