/** A search in a store that `millrace index` filled: the store finds, this shows. */

import type { StoreHit } from '../../../index.js'
import { usageError } from '../exit.js'
import { storeOf } from '../stores.js'
import { oneLine, painter, print, textWidth } from '../terminal.js'
import type { SearchFlags } from './flags.js'

/** Columns of rank and score and the gaps between, before the text. */
const LEFT_COLUMNS = 14

/** Searches and prints. `embed` makes the query's vector, with the store's model where the caller named none. */
export async function searchStore(
  query: string,
  flags: SearchFlags,
  embed: (model: { model?: string }) => Promise<Float32Array>,
): Promise<void> {
  if (flags.texts !== undefined) throw usageError('Expected no --texts: the store has them')
  const store = await storeOf(flags.index)
  try {
    const made = await store.model()
    const { model, modelPath } = flags
    if (made !== undefined && model !== undefined && model.toLowerCase() !== made.toLowerCase()) {
      throw usageError(`Expected --model ${made}, which ${flags.index} was made with, but received ${model}`)
    }
    const own = model === undefined && modelPath === undefined && made !== undefined ? { model: made } : {}
    const hits = await store.search(await embed(own), { limit: flags.top })
    if (flags.json === true) {
      const results = hits.map((hit, i) => ({ rank: i + 1, ...hit }))
      await print(`${JSON.stringify({ query, results })}\n`)
    } else if (hits.length === 0) {
      await print(`no records in ${flags.index}\n`)
    } else {
      await print(`${hits.map(linesOf).join('\n')}\n`)
    }
  } finally {
    await store.close()
  }
}

function linesOf({ documentId, headings, text, score }: StoreHit, i: number): string {
  const paint = painter(process.stdout)
  const width = textWidth(process.stdout, LEFT_COLUMNS)
  const place = [documentId, ...headings].join(' › ')
  const indent = ' '.repeat(LEFT_COLUMNS)
  return `${String(i + 1).padStart(4)}  ${paint('bold', score.toFixed(4).padStart(7))} ${place}\n${indent}${paint('dim', oneLine(text, width))}`
}
