/** Cuts cleaned documents into records, which still lack their vectors. */

import { MillraceError } from '../base/errors.js'
import type { TextChunk, TextChunker } from '../text/chunk.js'
import type { PipelineDocument } from './document.js'
import type { PipelinePlan } from './options.js'
import { keepsMarkup } from './prepare.js'
import type { PipelineRecord } from './record.js'

/** The chunkers of a run; Markdown is cut by its structure where that is asked for. */
export interface Chunkers {
  plain: TextChunker
  markdown: TextChunker
}

/** A document to cut. */
export interface CleanedDocument {
  id: string
  document: PipelineDocument
  /** Cleaned. */
  text: string
}

/** The records of each document at its place, or why it has none. Without chunkers a document is one record. */
export async function cutDocuments(
  plan: PipelinePlan,
  chunkers: Chunkers | undefined,
  documents: readonly CleanedDocument[],
): Promise<(PipelineRecord[] | MillraceError)[]> {
  if (chunkers === undefined) {
    return documents.map((document) => (document.text === '' ? [] : [recordOf(document)]))
  }
  const results: (PipelineRecord[] | MillraceError)[] = documents.map(() => [])
  const isMarkdown = documents.map(({ document }) => keepsMarkup(plan, document.format))
  for (const kind of ['plain', 'markdown'] as const) {
    const places = [...documents.keys()].filter((i) => isMarkdown[i] === (kind === 'markdown'))
    const texts = places.map((i) => documents[i]?.text ?? '')
    const chunks = await chunkEach(chunkers[kind], texts)
    for (const [at, i] of places.entries()) {
      const found = chunks[at] ?? []
      const document = documents[i] as CleanedDocument
      results[i] =
        found instanceof MillraceError
          ? found
          : found.map((chunk, number) => recordOf(document, chunk, number))
    }
  }
  return results
}

/** Chunks of each text; a text that cannot be read gives its error and leaves the others alone. */
async function chunkEach(
  chunker: TextChunker,
  texts: readonly string[],
): Promise<(TextChunk[] | MillraceError)[]> {
  if (texts.length === 0) return []
  try {
    return await chunker.chunkBatch(texts)
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    if (texts.length === 1) return [error]
    const each: (TextChunk[] | MillraceError)[] = []
    for (const text of texts) each.push(...(await chunkEach(chunker, [text])))
    return each
  }
}

function recordOf({ id, text, document }: CleanedDocument, chunk?: TextChunk, number = 0): PipelineRecord {
  return {
    id: chunk === undefined ? id : `${id}#${number}`,
    documentId: id,
    chunk: number,
    text: chunk?.text ?? text,
    start: chunk?.start ?? 0,
    end: chunk?.end ?? text.length,
    tokens: chunk?.tokens ?? 0,
    headings: chunk?.headings ?? [],
    metadata: document.metadata ?? {},
  }
}
