/**
 * Where the system refuses threads (a container's limit on processes, `ulimit -u`), the answer is a typed error, and the process
 * goes on: web-infra-dev/rspack#6209, rolldown/rolldown#10464, tokio-rs/tokio#2309.
 */

import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { child } from '../support/paths.js'

/** A user without other processes, so that the limit counts those of the test alone. */
const NOBODY = 54_321

/** From fewer threads than Node itself needs to as many as a model wants. */
const LIMITS = Array.from({ length: 20 }, (_, i) => 8 + i)

/** Only root may become another user, and root itself has no limit. */
const canLimit = process.platform === 'linux' && process.getuid?.() === 0

interface Outcome {
  rows?: number
  code?: string
  isOurs?: boolean
  message?: string
}

interface Ended {
  signal: NodeJS.Signals | null
  output: string
  errors: string
}

function runWith(limit: number): Promise<Ended> {
  // The option for processes is -u in bash and -p in dash and ash.
  const command = `ulimit -u ${limit} 2>/dev/null || ulimit -p ${limit}; exec "$0" "$1"`
  const running = spawn('sh', ['-c', command, process.execPath, child('few-threads.mjs')], {
    uid: NOBODY,
    gid: NOBODY,
    env: { PATH: process.env['PATH'], HOME: '/tmp' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Promise((resolve, reject) => {
    let output = ''
    let errors = ''
    running.stdout.on('data', (piece) => {
      output += piece
    })
    running.stderr.on('data', (piece) => {
      errors += piece
    })
    running.on('error', reject)
    running.on('close', (_, signal) => resolve({ signal, output, errors }))
  })
}

describe.skipIf(!canLimit)('a limit on threads', () => {
  it('never ends the process', async () => {
    const outcomes: Outcome[] = []
    let ups = 0
    for (const limit of LIMITS) {
      const { signal, output, errors } = await runWith(limit)
      const lines = output.trim().split('\n')
      if (lines[0] !== 'up') continue // Node itself did not start, or may not read this folder
      ups++
      expect({ limit, signal, errors: signal === null ? '' : errors }).toEqual({
        limit,
        signal: null,
        errors: '',
      })
      outcomes.push(...(JSON.parse(lines.at(-1) ?? '[]') as Outcome[]))
    }
    expect(ups).toBeGreaterThan(5)
    for (const { rows, code, isOurs, message } of outcomes) {
      if (rows !== undefined) expect(rows).toBe(2)
      else expect({ code, isOurs, message }).toMatchObject({ code: expect.any(String), isOurs: true })
    }
    // The limits span both.
    expect(outcomes.some(({ code }) => code !== undefined)).toBe(true)
    expect(outcomes.some(({ rows }) => rows === 2)).toBe(true)
  })
})
