/** What a source gives, checked where it comes in: a document, one that could not be read, or neither. */

import { MillraceError } from '../base/errors.js'
import { isError } from '../base/foreign.js'
import { describeValue, isRecord } from '../base/is.js'
import type { PipelineDocument, UnreadableDocument } from './document.js'
import { jsonOf } from './metadata.js'

/** What a journal's name for something without an id begins with. */
export const NAMELESS = '\u0000'

/** A document as it came in. */
export interface CheckedDocument {
  /** As it is worked on. Of one that failed, the text is why: in the journal it is known by what is wrong with it. */
  document: PipelineDocument
  error?: MillraceError
  /** Nobody knows which documents this would have been: a place that could not be read, or something without an id. */
  isUnread: boolean
}

/** Checks what a source gave at `index`. A document with a good id keeps it, whatever else is wrong, so that people find it. */
export function checkDocument(value: unknown, index: number): CheckedDocument {
  if (isUnreadable(value)) {
    const text = `${value.error.code} ${value.error.message}`
    return { document: { id: value.id, text }, error: value.error, isUnread: true }
  }
  if (!isRecord(value)) return failed(`${NAMELESS}${index}`, mistake('{ id, text }', 'item', value))
  const { id, text, format, metadata } = value as Partial<Record<keyof PipelineDocument, unknown>>
  if (!isId(id)) {
    return failed(
      `${NAMELESS}${index}`,
      mistake('non-empty string that does not begin with U+0000', 'id', id),
    )
  }
  if (typeof text !== 'string') return failed(id, mistake('string', 'text', text))
  if (format !== undefined && format !== 'text' && format !== 'markdown' && format !== 'html') {
    return failed(id, mistake("one of 'text', 'markdown', 'html'", 'format', format))
  }
  if (metadata === undefined) return { document: value as unknown as PipelineDocument, isUnread: false }
  if (!isRecord(metadata)) return failed(id, mistake('object that JSON can hold', 'metadata', metadata))
  const found = jsonOf('metadata', metadata)
  if ('no' in found)
    return failed(id, `Expected ${found.no.expected} for ${found.no.path} but received ${found.no.received}`)
  return {
    document: { id, text, format, metadata: found.json as PipelineDocument['metadata'] },
    isUnread: false,
  }
}

function failed(id: string, why: string): CheckedDocument {
  const error = new MillraceError('INPUT_INVALID', why)
  return { document: { id, text: why }, error, isUnread: id.startsWith(NAMELESS) }
}

function mistake(expected: string, name: string, received: unknown): string {
  return `Expected ${expected} for ${name} but received ${describeValue(received)}`
}

function isUnreadable(value: unknown): value is UnreadableDocument {
  const { id, error } = (isRecord(value) ? value : {}) as Partial<UnreadableDocument>
  return isId(id) && isError(error) && 'code' in error
}

function isId(id: unknown): id is string {
  return typeof id === 'string' && id !== '' && !id.startsWith(NAMELESS)
}
