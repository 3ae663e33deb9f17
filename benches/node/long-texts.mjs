/**
 * Peak memory against the length and the number of texts, on a model of 12 heads: `node benches/node/long-texts.mjs [MAX_MEMORY]`.
 * Prints a line for each length, 1 text and 20 texts, each in a process of its own. Linux only: `VmHWM` is read from /proc.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeAttentionModel } from '../../__test__/support/attention-model.mjs'

const LENGTHS = [512, 1024, 2048, 4096, 8192]
const COUNTS = [1, 20]
const CHILD = new URL('../../__test__/support/children/long-texts.mjs', import.meta.url)

const maxMemory = process.argv[2]
const dir = mkdtempSync(join(tmpdir(), 'millrace-long-'))
writeAttentionModel(dir)

const megabytes = (bytes) => (bytes / 1e6).toFixed(0).padStart(10)
const line = (cells) => process.stdout.write(`${cells.join('')}\n`)

const peakOf = (tokens, count) => {
  const options = JSON.stringify({ errors: 'collect', ...(maxMemory && { maxMemory }) })
  const args = ['--expose-gc', CHILD.pathname, dir, String(tokens), String(count), options]
  const output = execFileSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return JSON.parse(output.trim().split('\n').at(-1))
}

line(['    tokens', ...COUNTS.map((count) => `${count} texts, MB`.padStart(14)), '  budget, MB'])
for (const tokens of LENGTHS) {
  const reports = COUNTS.map((count) => peakOf(tokens, count))
  const budget = reports[0].memory.budget
  line([
    String(tokens).padStart(10),
    ...reports.map(({ peak, failed }) => (failed > 0 ? '       refused' : `    ${megabytes(peak)}`)),
    `  ${megabytes(budget)}`,
  ])
}
rmSync(dir, { recursive: true })
