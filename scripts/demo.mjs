/**
 * The main job, shown: embeds lines of text with the bundled model, tells how fast, and finds the lines closest to a
 * question. Without arguments it takes the sentences below.
 *
 *   npm run demo -- [FILE] [QUESTION]      FILE: one text a line
 */
import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { print } from './lib/print.mjs'
import { SetupError, script } from './lib/run.mjs'

const SENTENCES = [
  'To enlarge a partition, unmount it first and then move its end with parted.',
  'The file system must be grown after the partition, or the new space stays unused.',
  'A mill race is the channel that leads water to a mill wheel.',
  'The miller opened the sluice at dawn, and the wheel began to turn.',
  'Bread dough rises faster in a warm kitchen.',
  'Let the sourdough rest overnight in the fridge.',
  'The central bank raised interest rates by half a point.',
  'Bond prices fall when yields go up.',
  'The goalkeeper saved two penalties in the final.',
  'She ran the marathon in under three hours.',
  'Swallows fly low before it rains.',
  'The forecast promises frost for the weekend.',
]
const QUESTION = 'How do I resize a disk partition?'
const SHOWN = 3

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0)

await script('demo', async ([file, question = QUESTION]) => {
  if (file !== undefined && !existsSync(file)) throw new SetupError(`There is no file ${file}`)
  const { TextEmbedding } = await import('../dist/esm/index.js')
  const model = await TextEmbedding.create()
  const info = await model.info()
  print(
    `model: ${info.model}, ${info.dim} dimensions, at most ${info.maxLength} tokens, ${info.sessions} threads`,
  )

  const texts = []
  async function* lines() {
    for await (const line of file === undefined
      ? SENTENCES
      : createInterface({ input: createReadStream(file) })) {
      if (line.trim() === '') continue
      texts.push(line)
      yield line
    }
  }
  const rows = []
  let tokens = 0
  const started = performance.now()
  for await (const batch of model.embed(lines())) {
    for (let i = 0; i < batch.length; i++) rows.push(batch.row(i))
    tokens += batch.tokens.reduce((sum, count) => sum + count, 0)
  }
  const seconds = (performance.now() - started) / 1000
  print(
    `embedded ${rows.length} texts, ${tokens} tokens, in ${seconds.toFixed(2)} s: ${Math.round(rows.length / seconds)} texts/s`,
  )

  const [query] = await model.queryEmbed(question).toArray()
  print(`closest to “${question}”:`)
  const closest = rows
    .map((row, i) => ({ score: dot(query, row), text: texts[i] }))
    .sort((a, b) => b.score - a.score)
  for (const { score, text } of closest.slice(0, SHOWN)) print(`  ${score.toFixed(3)}  ${text}`)
  await model.close()
})
