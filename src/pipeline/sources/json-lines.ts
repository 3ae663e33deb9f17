/** JSON values, one a line: the only reader of JSON lines, for sources and for the command line. */

import { MillraceError } from '../../base/errors.js'
import { parseJson } from './json.js'
import { readLines } from './lines.js'

/** A value, or why there is none. */
export interface JsonLine {
  /** Number of the line, from 1. */
  number: number
  value?: unknown
  /** INPUT_INVALID; its message says what is wrong, not where. */
  problem?: MillraceError
  /** Position behind the line in its file, in unpacked bytes. */
  end: number
}

/** The values of a file, some at a time. Blank lines are skipped. */
export async function* readJsonLines(
  chunks: AsyncIterable<Buffer>,
  encoding?: string,
): AsyncGenerator<JsonLine[], void, undefined> {
  for await (const lines of readLines(chunks, encoding)) {
    const values: JsonLine[] = []
    for (const { number, text, problem, end } of lines) {
      if (text === undefined) values.push({ number, end, problem: invalid(problem ?? 'it cannot be read') })
      else if (text.trim() !== '') values.push({ number, end, ...jsonValueOf(text) })
    }
    if (values.length > 0) yield values
  }
}

function jsonValueOf(text: string): { value: unknown } | { problem: MillraceError } {
  try {
    return { value: parseJson(text) }
  } catch (error) {
    if (error instanceof MillraceError) return { problem: error }
    throw error
  }
}

function invalid(message: string): MillraceError {
  return new MillraceError('INPUT_INVALID', message)
}
