/** One search: embed the query, read the whole index past it, show the best rows. Exact, no structure is built. */

import { access } from 'node:fs/promises'
import { cosineMany, TextEmbedding } from '../../../index.js'
import { downloadView } from '../download-view.js'
import { requireFamily } from '../families/names.js'
import { commonOptions, denseCallOptions, denseModelOptions } from '../model-options.js'
import { isStore } from '../stores.js'
import { count, oneLine, painter, print, textWidth } from '../terminal.js'
import type { SearchFlags } from './flags.js'
import { holdsTexts, readIndex } from './index-file.js'
import { searchStore } from './store.js'
import { findTexts } from './texts.js'
import { type Hit, Top } from './top.js'

/** Columns of rank and score and the gaps between, before the text. */
const LEFT_COLUMNS = 14

/** Searches and prints. */
export async function runSearch(query: string, flags: SearchFlags, signal: AbortSignal): Promise<void> {
  requireFamily('dense', flags.model, 'millrace search compares dense vectors only')
  if (isStore(flags.index)) {
    await searchStore(query, flags, signal, (model) => embedQuery(query, { ...flags, ...model }, signal))
    return
  }
  const files = flags.texts ?? []
  await Promise.all([flags.index, ...files].map((file) => access(file)))
  const vector = await embedQuery(query, flags, signal)
  const field = flags.field ?? 'text'
  const top = new Top(flags.top)
  let rows = 0
  for await (const block of readIndex(flags.index, vector.length, field)) {
    signal.throwIfAborted()
    const scores = cosineMany(vector, block.values)
    for (const [i, score] of scores.entries()) {
      // The row of a failed input is zeros, and no vector.
      if (!top.admits(score) || (score === 0 && isZero(block.values, i, vector.length))) continue
      const text = block.texts?.[i]
      top.offer({ index: block.first + i, score, ...(text !== undefined && { text }) })
    }
    rows += block.rows
  }
  const hits = files.length === 0 ? top.hits : await withTexts(top.hits, files, field, rows)
  const listed = hits.map(({ index, score, text }, i) => ({ rank: i + 1, score, index, text: text ?? null }))
  if (flags.json === true) await print(`${JSON.stringify({ query, rows, results: listed })}\n`)
  else await print(`${[...hits.map(hitLine), ...closing(hits, rows, flags)].join('\n')}\n`)
}

function isZero(values: Float32Array, row: number, dim: number): boolean {
  return values.subarray(row * dim, (row + 1) * dim).every((value) => value === 0)
}

async function embedQuery(query: string, flags: SearchFlags, signal: AbortSignal): Promise<Float32Array> {
  const view = downloadView(flags.json === true)
  const model = await TextEmbedding.create({
    ...commonOptions(flags),
    ...denseModelOptions(flags, 'query'),
    signal,
    onDownload: view.update,
  }).finally(view.stop)
  try {
    const stream = model.queryEmbed(query, { ...denseCallOptions(flags), overflow: 'truncate', signal })
    const { data } = await stream.toMatrix()
    // Some models, and --no-normalize, leave vectors at their own length; stores compare directions.
    const length = Math.hypot(...data)
    return length === 0 ? data : data.map((value) => value / length)
  } finally {
    await model.close({ timeoutMs: 0 })
  }
}

async function withTexts(hits: Hit[], files: string[], field: string, rows: number): Promise<Hit[]> {
  const texts = await findTexts(files, field, new Set(hits.map(({ index }) => index)), rows)
  return hits.map((hit) => {
    const text = texts.get(hit.index)
    return text === undefined ? hit : { ...hit, text }
  })
}

function hitLine({ index, score, text }: Hit, i: number): string {
  const paint = painter(process.stdout)
  const width = textWidth(process.stdout, LEFT_COLUMNS)
  const shown = text === undefined ? `row ${count(index)}` : oneLine(text, width)
  return `${String(i + 1).padStart(4)}  ${paint('bold', score.toFixed(4).padStart(7))} ${shown}`
}

function closing(hits: Hit[], rows: number, { index, texts }: SearchFlags): string[] {
  if (hits.length === 0) return [`no vectors among the ${count(rows)} rows of ${index}`]
  if (texts !== undefined || hits.some(({ text }) => text !== undefined)) return []
  const remedy = holdsTexts(index) ? '--keep text when embedding, or --texts FILE' : '--texts FILE'
  return [painter(process.stdout)('dim', `(rows by number: for their texts, give ${remedy})`)]
}
