/**
 * The protocol of a contestant in Node: commands come on standard input, one a line, and each is answered by a
 * line of JSON. `texts FILE` (a JSON array of strings), `run BATCH` (0: the contestant's own default), `vectors FILE`
 * (of the last run, float32, row-major).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { watchEventLoop } from '../../event-loop-delay.mjs'

/** Texts of the warm-up: a first run allocates, which is loading and not embedding. */
const WARM_UP = 8

/** `embed(texts, batch)` gives all rows as an array of arrays of numbers. */
export async function serve(embed) {
  let texts = []
  let rows = []
  const commands = {
    async texts(path) {
      texts = JSON.parse(readFileSync(path, 'utf8'))
      await embed(texts.slice(0, WARM_UP), WARM_UP)
      return { texts: texts.length }
    },
    async run(batch) {
      const stop = watchEventLoop()
      const started = performance.now()
      rows = await embed(texts, Number(batch))
      const seconds = (performance.now() - started) / 1000
      const delays = stop()
      return { seconds, texts: rows.length, worstDelayMs: Math.max(...delays) }
    },
    async vectors(path) {
      const dim = rows[0]?.length ?? 0
      const matrix = new Float32Array(rows.length * dim)
      rows.forEach((row, i) => {
        matrix.set(row, i * dim)
      })
      writeFileSync(path, new Uint8Array(matrix.buffer))
      return { dim }
    },
  }
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, ...rest] = line.split(' ')
    const answer = await commands[command](rest.join(' '))
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
}
