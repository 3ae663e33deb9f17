/** Memory of the command line does not grow with the input, however slow its reader is. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { goldenModel } from '../support/paths.js'
import { cli, folder } from './cli.js'

const cwd = folder()

/** Long lines, of which the model reads 4 tokens: much input, little computing. */
async function* lines(total: number, words: number) {
  const line = `${'word '.repeat(words)}\n`
  for (let sent = 0; sent < total; sent++) yield line
}

async function peakRss(total: number, words: number, more: readonly string[]): Promise<number> {
  const args = ['embed', '-', '--json', ...more]
  const { code, stdout } = await cli(args, { cwd, input: lines(total, words) })
  expect(code).toBe(0)
  const summary = JSON.parse(stdout.toString())
  expect(summary.texts).toBe(total)
  return summary.peakRss
}

it('stays the same for five times the input', async () => {
  const args = ['--max-length', '4', '-o', 'out.f32']
  const few = await peakRss(300, 40_000, args)
  const many = await peakRss(1500, 40_000, args) // 300 MB
  expect(many - few).toBeLessThan(60 * 1024 * 1024)
})

it('stays the same for five times the output, where it is gathered first', async () => {
  const args = ['--family', 'colbert', '--model-path', goldenModel('colbert'), '-o', 'out.npz']
  const few = await peakRss(2000, 60, args)
  const many = await peakRss(10_000, 60, args) // 40 vectors of 128 values a row
  expect(statSync(join(cwd, 'out.npz')).size).toBeGreaterThan(10_000 * 40 * 128 * 4)
  expect(many - few).toBeLessThan(60 * 1024 * 1024)
})

it('stops reading while nobody takes the output', async () => {
  let given = 0
  async function* counted() {
    for await (const line of lines(100_000, 400)) {
      given++
      yield line
    }
  }
  let stopped = 0
  const result = await cli(['embed', '-', '--max-length', '4', '--to', 'jsonl', '-q'], {
    cwd,
    input: counted(),
    async onStart(child) {
      child.stdout?.pause()
      // Until no line went in for half a second.
      for (let before = -1; before !== given || given === 0; await sleep(500)) before = given
      stopped = given
      child.stdout?.destroy()
    },
  })
  expect(stopped).toBeGreaterThan(0)
  expect(stopped).toBeLessThan(5000) // the texts of one window, and what the pipes hold
  expect(result).toMatchObject({ code: 0, stderr: '' })
})
