/** A process ends when and as it should, whatever inference is under way: no crash, no hang. */

import { describe, expect, it } from 'vitest'
import { PATIENCE_MS } from '../support/patience.js'
import { type ChildResult, runChild } from '../support/run-child.js'

const KILL_AFTER_MS = 60_000

/** Fails with what the child said unless it ended by itself and without one of the signals of a crash. */
function clean(result: ChildResult): void {
  const { timedOut, signal, code } = result
  const how = `${code ?? signal}${timedOut ? ', killed by the timer' : ''}\n${result.stdout}\n${result.stderr}`
  expect(timedOut, `hangs: ${how}`).toBe(false)
  expect(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE'], how).not.toContain(signal)
  // A shell's way of telling the same.
  expect([132, 134, 135, 136, 139], how).not.toContain(code)
  expect(result.stderr, how).not.toMatch(/panicked|terminate called|free\(\)|corrupt/)
}

const exit = (way: string, delay = 0) =>
  runChild('exit.mjs', { args: [way, String(delay)], killAfterMs: KILL_AFTER_MS })

describe('a program that closes nothing', () => {
  it.each([
    'without close',
    'idle model',
    'unawaited create',
    'abandoned stream',
    'abandoned web stream',
    'unread stream',
  ])('ends by itself: %s', async (way) => {
    const result = await exit(way)
    clean(result)
    expect(result.code, result.stderr).toBe(0)
    // Loading takes half a second; whatever waits for work in the window takes many.
    expect(result.milliseconds).toBeLessThan(2 * PATIENCE_MS)
  })
})

describe('an end in the middle of runs', () => {
  it.each([0, 7, 35])('process.exit after %d ms', async (delay) => {
    const result = await exit('process.exit', delay)
    clean(result)
    expect(result.code, result.stderr).toBe(7)
  })

  it('process.exit during close', async () => {
    const result = await exit('process.exit during close')
    clean(result)
    expect(result.code, result.stderr).toBe(7)
  })

  it.each([0, 20, 60, 150, 300])('process.exit %d ms into create', async (delay) => {
    const result = await exit('exit during create', delay)
    clean(result)
    expect(result.code, result.stderr).toBe(7)
  })

  it.each(['uncaught exception', 'unhandled rejection'])('%s', async (way) => {
    const result = await exit(way)
    clean(result)
    expect(result.code).toBe(1)
    expect(result.stderr).toContain('nobody')
  })

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s', async (signal) => {
    const result = await runChild('exit.mjs', {
      args: ['signal'],
      killAfterMs: KILL_AFTER_MS,
      onOutput: (output, running) => output.includes('running') && running.kill(signal),
    })
    clean(result)
    expect(result.signal).toBe(signal)
  })

  it('a handled SIGTERM that closes with timeoutMs', async () => {
    let sent = 0
    const result = await runChild('exit.mjs', {
      args: ['handled signal'],
      killAfterMs: KILL_AFTER_MS,
      onOutput(output, running) {
        if (sent > 0 || !output.includes('running')) return
        sent = performance.now()
        running.kill('SIGTERM')
      },
    })
    clean(result)
    expect(result.code, result.stderr).toBe(0)
    expect(performance.now() - sent).toBeLessThan(PATIENCE_MS)
  })
})

it('a failed child is told from a good one', async () => {
  const result = await runChild('exit.mjs', {
    args: ['signal'],
    killAfterMs: KILL_AFTER_MS,
    onOutput: (output, running) => output.includes('running') && running.kill('SIGSEGV'),
  })
  expect(() => clean(result)).toThrow()
})
