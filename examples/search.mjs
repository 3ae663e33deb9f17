/**
 * Semantic search over package descriptions: embed once, then compare each question with all of them.
 *
 *   node examples/search.mjs "draw a floor plan"
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { TextEmbedding } from 'millrace'

const question = process.argv[2] ?? 'draw a floor plan'
const file = new URL('packages.jsonl.gz', import.meta.url)
const packages = gunzipSync(readFileSync(file))
  .toString('utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line))

const model = await TextEmbedding.create()
const passages = packages.map(({ title, text }) => `${title}. ${text}`)
const vectors = await model.passageEmbed(passages, { overflow: 'truncate' }).toMatrix()
const [query] = await model.queryEmbed(question).toArray()
await model.close()

// The vectors have length 1, so the dot product is the cosine.
const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0)
const hits = packages
  .map(({ id, title }, i) => ({ id, title, score: dot(query, vectors.row(i)) }))
  .sort((a, b) => b.score - a.score)
for (const { id, title, score } of hits.slice(0, 5)) console.log(score.toFixed(3), `${id}: ${title}`)
