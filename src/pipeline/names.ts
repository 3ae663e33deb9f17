/** Names of ids and of contents, as a journal keeps them: BLAKE3 over length-prefixed fields, cut to 128 bits. */

import { canonical } from '../base/canonical.js'
import { nextTurn } from '../base/turn.js'
import type { NativeAddon } from '../binding/types.js'
import type { PipelineDocument } from './document.js'
import { shortName } from './journal/document-table.js'

/** Characters that are named in one turn of the event loop: about a millisecond. */
const NAMED_AT_ONCE = 1024 * 1024

/** The names of ids. */
export function nameIds(addon: Pick<NativeAddon, 'nameTexts'>, ids: readonly string[]): string[] {
  return addon.nameTexts('millrace document 1', [...ids]).map(shortName)
}

/** The name of what a document says and of what is kept beside it. */
export async function nameContent(
  addon: Pick<NativeAddon, 'nameFields'>,
  { text, format = 'text', metadata = {} }: PipelineDocument,
): Promise<string> {
  const pieces: string[] = []
  for (let at = 0; at < text.length; at += NAMED_AT_ONCE) {
    if (at > 0) await nextTurn()
    pieces.push(addon.nameFields([text.slice(at, at + NAMED_AT_ONCE)]))
  }
  return shortName(addon.nameFields(['millrace content 1', format, canonical(metadata), ...pieces]))
}
