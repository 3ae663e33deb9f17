/** A process that is killed at random moments, over and over, and started again leaves the same bytes as one that was not. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { PipelineReport } from '../../index.js'
import { reportOf, runChild } from '../support/run-child.js'
import { randomNumbers } from '../support/texts.mjs'
import { temporaryDirectory } from './support.js'

const DOCUMENTS = 300
const KILLS = 10

/** Of the whole time of a run, so that it is some way on when it dies, on whatever machine. */
const LEAST_SHARE = 0.02
const MOST_SHARE = 0.3

const seed = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** Every file of the output with its bytes. */
function contents(dir: string): Map<string, string> {
  const names = ['out.jsonl', 'failed.jsonl'].filter((name) => existsSync(join(dir, name)))
  const folder = join(dir, 'documents')
  if (existsSync(folder)) names.push(...readdirSync(folder).map((name) => join('documents', name)))
  return new Map(names.sort().map((name) => [name, readFileSync(join(dir, name), 'latin1')]))
}

describe.each(['log', 'folder'])('a pipeline into a %s', (kind) => {
  it(`that is killed ${KILLS} times at random (KILL_SEED=${seed})`, async () => {
    const whole = temporaryDirectory()
    const random = randomNumbers(seed + kind.length)
    const args = [kind, whole, String(DOCUMENTS)]
    let ready = 0
    const started = performance.now()
    const once = await reportOf<PipelineReport>('pipeline.mjs', {
      args,
      onOutput: () => {
        ready ||= performance.now()
      },
    })
    const runMs = performance.now() - ready
    expect(ready).toBeGreaterThan(started)
    expect(once).toMatchObject({ read: DOCUMENTS, failed: 6, duplicates: 30 })

    let kills = 0
    // A machine that got faster may come through before; then it begins anew.
    while (kills < KILLS) {
      const dir = temporaryDirectory()
      let report: PipelineReport | undefined
      while (report === undefined) {
        const afterMs = runMs * (LEAST_SHARE + (MOST_SHARE - LEAST_SHARE) * random())
        const mustDie = kills < KILLS
        let timer: NodeJS.Timeout | undefined
        const result = await runChild('pipeline.mjs', {
          args: [kind, dir, String(DOCUMENTS)],
          onOutput(_, child) {
            if (mustDie) timer ??= setTimeout(() => child.kill('SIGKILL'), afterMs)
          },
        })
        clearTimeout(timer)
        if (result.signal === 'SIGKILL' && !result.timedOut) {
          kills++
        } else {
          expect(result.code, result.stderr).toBe(0)
          report = JSON.parse(result.stdout.trim().split('\n').at(-1) ?? '') as PipelineReport
        }
      }
      process.stdout.write(
        `${kind}: seed ${seed}, killed ${kills} times, ${report.unchanged} of ${once.written} documents were there at last\n`,
      )
      expect(report.written + report.unchanged).toBe(once.written)
      const [found, expected] = [contents(dir), contents(whole)]
      expect([...found.keys()]).toEqual([...expected.keys()])
      for (const [name, bytes] of expected) expect(found.get(name) === bytes, name).toBe(true)
    }
  })
})
