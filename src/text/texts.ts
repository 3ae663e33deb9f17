/** Checks that a caller gave texts. */

import { MillraceError } from '../base/errors.js'
import { describeValue } from '../base/is.js'

/** The value, if it is a string. */
export function text(value: unknown): string {
  if (typeof value === 'string') return value
  throw new MillraceError('INPUT_INVALID', `Expected string for text but received ${describeValue(value)}`)
}

/** The value, if it is an array of strings. An error has the index of the element. */
export function texts(value: unknown): string[] {
  if (!Array.isArray(value)) {
    const message = `Expected array of strings for texts but received ${describeValue(value)}`
    throw new MillraceError('INPUT_INVALID', message)
  }
  for (const [index, element] of value.entries()) {
    if (typeof element === 'string') continue
    const message = `Expected string for texts[${index}] but received ${describeValue(element)}`
    throw new MillraceError('INPUT_INVALID', message, { index })
  }
  return value
}
