/** The kinds of item a record may hold: a text, the path of an image, a query with its document. */

import { MillraceError, type TextPair } from '../../../index.js'
import { describeValue } from '../../base/is.js'
import { fieldOf } from '../../pipeline/sources/fields.js'
import type { ItemShape } from './records.js'

/** What to keep of a string itself: nothing, or it under a name, for plain lines or for every record. */
export interface OwnName {
  name: string
  of: 'lines' | 'all'
}

/** A plain line, a JSON string, or the string in a field of a record. */
export function strings(field: string, own?: OwnName): ItemShape<string> {
  const taken = (item: string, isLine: boolean) =>
    own !== undefined && (isLine || own.of === 'all') ? { item, kept: { [own.name]: item } } : { item }
  return {
    fromLine: (line) => taken(line, true),
    fromJson: (value) => taken(typeof value === 'string' ? value : stringIn(value, field), false),
  }
}

/** A record with the fields `query` and `document`; both are kept, the document as `text`. */
export const queryDocumentPairs: ItemShape<TextPair> = {
  fromLine() {
    throw new MillraceError('INPUT_INVALID', "Expected a JSON record with 'query' and 'document'")
  },
  fromJson(value) {
    const [query, text] = [stringIn(value, 'query'), stringIn(value, 'document')]
    return { item: [query, text], kept: { query, text } }
  },
}

function stringIn(value: unknown, field: string): string {
  const found = fieldOf(value, field)
  if (typeof found === 'string') return found
  throw new MillraceError(
    'INPUT_INVALID',
    `Expected string for field '${field}' but received ${describeValue(found)}`,
  )
}
