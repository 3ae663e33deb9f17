/** What goes into a pipeline. Where documents come from is in `../sources/`. */

import type { MillraceError } from '../base/errors.js'
import type { Awaitable } from './awaitable.js'

/** What JSON can hold. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }

/** What a text comes in. */
export type TextFormat = 'text' | 'markdown' | 'html'

/** One document: a page, a ticket, a row. */
export interface PipelineDocument {
  /** Names it in the store and in the journal; not empty, and unique in a source. */
  id: string
  text: string
  /** What the text is written in. @default 'text' */
  format?: TextFormat | undefined
  /** Kept beside each of its records. */
  metadata?: Readonly<Record<string, JsonValue>> | undefined
}

/** A document that a source could not read: told to the dead letters, or it ends the run, as one that cannot be embedded. */
export interface UnreadableDocument {
  /** As it would have been. */
  id: string
  error: MillraceError
}

/** Documents, read once and in order, as fast as the pipeline takes them. */
export type DocumentSource =
  | Iterable<PipelineDocument | UnreadableDocument>
  | AsyncIterable<PipelineDocument | UnreadableDocument>
  | ReadableStream<PipelineDocument | UnreadableDocument>

/** A source that can be read again and knows what it is. */
export interface NamedDocumentSource extends AsyncIterable<PipelineDocument | UnreadableDocument> {
  /** For people: `folder docs/`. */
  readonly name: string
  /** How many documents there are, where that is cheap to know. For progress only. */
  count?(): Awaitable<number | undefined>
}
