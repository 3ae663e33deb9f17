/** Cleaning of a slice of documents, each by its format. What cleaning means is in the addon. */

import { unwrap } from '../base/errors.js'
import type { NativeAddon } from '../binding/types.js'
import type { DropReason } from '../metrics/metrics.js'
import { parsePrepareOptions } from '../options/prepare.js'
import type { PipelineDocument, TextFormat } from './document.js'
import type { PipelinePlan } from './options.js'

/** A cleaned document. */
export interface Prepared {
  text: string
  /** Why it is left out, if it is. */
  why?: DropReason
}

/** Whether documents of the format are cut by their Markdown structure, which they must keep for that. */
export function keepsMarkup({ chunk }: PipelinePlan, format: TextFormat = 'text'): boolean {
  if (chunk === false) return false
  return chunk.by === 'markdown' || (chunk.by === 'auto' && format === 'markdown')
}

/** The documents' texts, cleaned, at their places. */
export async function prepareDocuments(
  addon: NativeAddon,
  plan: PipelinePlan,
  documents: readonly PipelineDocument[],
): Promise<Prepared[]> {
  const { prepare } = plan
  if (prepare === false) return documents.map(({ text }) => ({ text }))
  const { minLength, maxLength, languages, ...clean } = prepare
  const prepared: Prepared[] = documents.map(() => ({ text: '' }))
  for (const format of ['text', 'markdown', 'html'] as const) {
    const places = [...documents.keys()].filter((i) => (documents[i]?.format ?? 'text') === format)
    if (places.length === 0) continue
    // White space is structure in Markdown: code and lists are indented.
    const kept = keepsMarkup(plan, format) && format !== 'html'
    const options = parsePrepareOptions('prepare', {
      clean: kept ? { whitespace: 'keep', ...clean, format: 'text' } : { ...clean, format },
      minLength,
      maxLength,
      languages,
      duplicates: false,
    })
    const texts = places.map((i) => documents[i]?.text ?? '')
    const found = unwrap(await addon.prepareTexts(texts, options))
    for (const [at, index] of found.indexes.entries()) {
      prepared[places[index] as number] = { text: found.texts[at] as string }
    }
    for (const { index, reason } of found.dropped) {
      if (reason !== 'duplicate') prepared[places[index] as number] = { text: '', why: reason }
    }
  }
  return prepared
}
