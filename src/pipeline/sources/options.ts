/** Options that sources share, and their checks. */

import { invalidOption } from '../../base/errors.js'
import { type Check, type Checks, nonEmptyString, oneOf } from '../../options/check.js'
import type { TextFormat } from '../document.js'
import type { RecordShape } from './named.js'

/** Which fields of a record make a document. */
export interface RecordOptions {
  /** Field with the id: text or a number. Records without one are named by their place, `docs.jsonl:7`. @default 'id' */
  id?: string | undefined
  /** Field with the text, or several, put together with an empty line between; dotted paths. @default 'text' */
  text?: string | readonly string[] | undefined
  /** Fields that are kept as metadata; `true` for all the others. @default none */
  metadata?: readonly string[] | true | undefined
  /** What the texts are written in. @default 'text' */
  format?: TextFormat | undefined
}

/** A name, or a non-empty list of them. */
function names(expected: string): Check<string | readonly string[]> {
  return (name, value) => {
    const isName = (one: unknown) => typeof one === 'string' && one !== ''
    if (isName(value) || (Array.isArray(value) && value.length > 0 && value.every(isName)))
      return value as string | readonly string[]
    throw invalidOption(name, expected, value)
  }
}

const metadata: Check<readonly string[] | true> = (name, value) => {
  if (value === true) return value
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
  throw invalidOption(name, 'names of fields, or true', value)
}

const format = oneOf('text', 'markdown', 'html')

export const recordChecks: Checks<RecordOptions> = {
  id: nonEmptyString,
  text: names('name of a field, or several'),
  metadata,
  format,
}

/** Checks where files are. */
export const paths = names('path, or non-empty array of paths')

/** Checked options with their defaults. */
export function shapeOf({ id, text = 'text', metadata = [], format }: RecordOptions): RecordShape {
  return {
    id: id ?? 'id',
    text: typeof text === 'string' ? [text] : text,
    metadata,
    format,
    asked: [...(id === undefined ? [] : [id]), ...(metadata === true ? [] : metadata)],
  }
}
