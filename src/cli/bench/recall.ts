/** `millrace bench recall`: embed texts, search them in every format, compare with float32. */

import { TextEmbedding } from '../../../index.js'
import { downloadView } from '../download-view.js'
import { usageError } from '../exit.js'
import { commonOptions, type DenseFlags, denseCallOptions, denseModelOptions } from '../model-options.js'
import { count, percent, print, say } from '../terminal.js'
import { type Contestant, contestants } from './formats.js'
import { benchFiles, eachText } from './texts.js'

/** What commander makes of the options. */
export interface RecallFlags extends DenseFlags {
  field: string
  limit?: number
  queries: number
  top: number
  oversample: number
  json?: boolean
}

/** What is measured of one format. */
export interface RecallRow {
  name: string
  dtype: string
  rescore?: string
  bytes: number
  /** Share of float32's best that it finds. */
  recall: number
  /** Median time of one search, in milliseconds. */
  searchMs: number
}

/** Measures and prints. */
export async function runRecall(files: string[], flags: RecallFlags, signal: AbortSignal): Promise<void> {
  const paths = await benchFiles(files)
  const { data, dim, length } = await embedTexts(paths, flags, signal)
  if (length < 2) throw usageError(`Expected at least 2 texts but received ${length}`)
  const queries = Math.min(flags.queries, length)
  const rows = await measure(await contestants(data, dim, flags.oversample), data, dim, {
    ...flags,
    queries,
    signal,
  })
  const facts = { texts: length, dimensions: dim, queries, top: flags.top, oversample: flags.oversample }
  if (flags.json === true) await print(`${JSON.stringify({ ...facts, formats: rows })}\n`)
  else await print(table(rows, facts))
}

async function embedTexts(paths: readonly string[], flags: RecallFlags, signal: AbortSignal) {
  const view = downloadView(flags.json === true)
  const model = await TextEmbedding.create({
    ...commonOptions(flags),
    ...denseModelOptions(flags, 'passage'),
    signal,
    onDownload: view.update,
  }).finally(view.stop)
  try {
    if (flags.json !== true) say(`millrace: embedding ${paths.join(', ')}`)
    const options = { ...denseCallOptions(flags), overflow: 'truncate', signal } as const
    return await model
      .embed(eachText(paths, flags.field, flags.limit ?? Number.POSITIVE_INFINITY), options)
      .toMatrix()
  } finally {
    await model.close({ timeoutMs: 0 })
  }
}

interface Measures {
  queries: number
  top: number
  signal: AbortSignal
}

/** Every format finds what the query is nearest to; the first one's findings are what the others are held against. */
async function measure(
  all: [Contestant, ...Contestant[]],
  data: Float32Array,
  dim: number,
  { queries, top, signal }: Measures,
): Promise<RecallRow[]> {
  const length = data.length / dim
  const rows = Array.from({ length: queries }, (_, i) => Math.floor((i * length) / queries))
  let expected: Set<number>[] | undefined
  const measured: RecallRow[] = []
  for (const { name, dtype, rescore, bytes, search } of all) {
    const queryOf = (row: number) => data.subarray(row * dim, (row + 1) * dim)
    await search(queryOf(0), top + 1) // threads start and memory is touched once
    const found: Set<number>[] = []
    const times: number[] = []
    for (const row of rows) {
      signal.throwIfAborted()
      const start = performance.now()
      // One more, because the query's own text is nearest to it.
      const hits = await search(queryOf(row), top + 1)
      times.push(performance.now() - start)
      const others = hits.filter(({ index }) => index !== row).slice(0, top)
      found.push(new Set(others.map(({ index }) => index)))
    }
    expected ??= found
    measured.push({
      name,
      dtype,
      ...(rescore !== undefined && { rescore }),
      bytes,
      recall: recallOf(expected, found),
      searchMs: times.sort((a, b) => a - b)[times.length >> 1] as number,
    })
  }
  return measured
}

/** The share of `expected` that is in `found`. */
export function recallOf(expected: readonly Set<number>[], found: readonly Set<number>[]): number {
  let wanted = 0
  let hit = 0
  for (const [i, set] of expected.entries()) {
    wanted += set.size
    for (const row of set) if (found[i]?.has(row) === true) hit++
  }
  return wanted === 0 ? 1 : hit / wanted
}

function table(
  rows: RecallRow[],
  { texts, dimensions, queries, top, oversample }: Record<string, number>,
): string {
  const lines = rows.map(({ name, bytes, recall, searchMs }) =>
    [
      name.padEnd(16),
      percent(recall).padStart(10),
      (bytes / 2 ** 20).toFixed(2).padStart(9),
      searchMs.toFixed(3).padStart(9),
    ].join(' '),
  )
  const head = `${'format'.padEnd(16)} ${`recall@${top}`.padStart(10)} ${'MiB'.padStart(9)} ${'ms'.padStart(9)}`
  const facts = `${count(texts ?? 0)} texts, ${dimensions} dimensions, ${count(queries ?? 0)} queries, oversample ${oversample}`
  return `${[facts, '', head, ...lines].join('\n')}\n`
}
