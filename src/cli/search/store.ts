/** A search in a store that `millrace index` filled: the store finds, this shows. */

import { MillraceError, type StoreHit } from '../../../index.js'
import { usageError } from '../exit.js'
import { shownStore, storeOf } from '../stores.js'
import { oneLine, painter, print, textWidth } from '../terminal.js'
import type { SearchFlags } from './flags.js'

/** Columns of rank and score and the gaps between, before the text. */
const LEFT_COLUMNS = 14

/** Searches and prints. `embed` makes the query's vector, with the store's model where the caller named none. */
export async function searchStore(
  query: string,
  flags: SearchFlags,
  signal: AbortSignal,
  embed: (model: { model?: string }) => Promise<Float32Array>,
): Promise<void> {
  if (flags.texts !== undefined) throw usageError('Expected no --texts: the store has them')
  const shown = shownStore(flags.index)
  const store = await storeOf(flags.index, signal)
  try {
    const made = await store.model()
    const { model, modelPath } = flags
    if (made !== undefined && model !== undefined && model.toLowerCase() !== made.toLowerCase()) {
      throw usageError(`Expected --model ${made}, which ${shown} was made with, but received ${model}`)
    }
    const isOwn = model === undefined && modelPath === undefined && made !== undefined
    const vector = await (isOwn ? embedWith(made, shown, embed) : embed({}))
    const hits = await store.search(vector, { limit: flags.top, signal })
    if (flags.json === true) {
      const results = hits.map((hit, i) => ({ rank: i + 1, ...hit }))
      await print(`${JSON.stringify({ query, results })}\n`)
    } else if (hits.length === 0) {
      await print(`no records in ${shown}\n`)
    } else {
      await print(`${hits.map(linesOf).join('\n')}\n`)
    }
  } finally {
    await store.close()
  }
}

/** The query's vector by the model that the store names: a supported one, or a directory whose name says nothing to anybody else. */
async function embedWith(
  model: string,
  shown: string,
  embed: (model: { model?: string }) => Promise<Float32Array>,
): Promise<Float32Array> {
  try {
    return await embed({ model })
  } catch (cause) {
    if (!(cause instanceof MillraceError) || cause.code !== 'MODEL_NOT_FOUND') throw cause
    throw new MillraceError(
      'MODEL_NOT_FOUND',
      `${shown} was made with '${model}', which is no supported model: give its directory with --model-path`,
      { cause },
    )
  }
}

function linesOf({ documentId, headings, text, score }: StoreHit, i: number): string {
  const paint = painter(process.stdout)
  const width = textWidth(process.stdout, LEFT_COLUMNS)
  const place = [documentId, ...headings].join(' › ')
  const indent = ' '.repeat(LEFT_COLUMNS)
  return `${String(i + 1).padStart(4)}  ${paint('bold', score.toFixed(4).padStart(7))} ${place}\n${indent}${paint('dim', oneLine(text, width))}`
}
