/** Texts of the JavaScript benches: real package descriptions and their titles. Nothing here measures. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { ROOT } from '../scripts/lib/run.mjs'

/** Where texts may lie: lines of `{"title": …, "text": …}`. The first that is there is taken. */
const PLACES = [
  process.env.MILLRACE_BENCH_CORPUS,
  join(ROOT, '..', 'shared', 'corpus', 'debian-packages.jsonl.gz'),
  join(ROOT, 'examples', 'packages.jsonl.gz'),
]

/** Longest text in tokens, in every comparison. */
export const LIMIT = 256

/** The first corpus that is there. */
export function corpusPath() {
  const path = PLACES.find((place) => place !== undefined && existsSync(place))
  if (path === undefined) throw new Error(`no texts: expected ${PLACES.at(-1)}`)
  return path
}

/** `{ path, titles, texts }` of it. */
export function corpus() {
  const path = corpusPath()
  const bytes = readFileSync(path)
  const lines = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').split('\n')
  const entries = lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  return {
    path,
    titles: entries.map((entry) => entry.title),
    texts: entries.map((entry) => entry.text),
  }
}

/** `count` of `texts`, evenly spread over them: neighbours in a corpus are alike. Repeats when there are too few. */
export function spread(texts, count) {
  const step = Math.max(1, Math.floor(texts.length / count))
  return Array.from({ length: count }, (_, i) => texts[(i * step) % texts.length])
}
