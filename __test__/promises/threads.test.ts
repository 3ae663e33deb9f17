/** Threads keep to the cores allowed, an idle process rests, and the event loop stays free at full load. */

import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { type LoopTurns, reportOf } from '../support/run-child.js'

interface Info {
  sessions: number
  threadsPerSession: number
  coresAllowed: number
  rows: number
  system: { coresAllowed: number; coresOnline: number; coresReason: string }
}

interface Clamped {
  sessions: number
  threadsPerSession: number
  coresAllowed: number
  clamped?: { parallel?: number; threads?: number; reason: string }
  rows: number
}

interface Warning {
  code: string
  message: string
  detail: string
}

const hasTaskset = (() => {
  try {
    execFileSync('taskset', ['-c', '0', 'true'])
    return true
  } catch {
    return false
  }
})()

describe('threads', () => {
  it.skipIf(!hasTaskset)('are one on one core of affinity', async () => {
    const info = await reportOf<Info>('model-info.mjs', { under: ['taskset', '-c', '0'] })
    expect(info).toMatchObject({ sessions: 1, threadsPerSession: 1, coresAllowed: 1, rows: 2 })
    expect(info.system.coresAllowed).toBe(1)
    if (info.system.coresOnline > 1) expect(info.system.coresReason).toMatch(/affinity/i)
  })

  it('are never more than the cores allowed', async () => {
    const info = await reportOf<Info>('model-info.mjs')
    expect(info.coresAllowed).toBeLessThanOrEqual(availableParallelism())
    expect(info.sessions * info.threadsPerSession).toBeLessThanOrEqual(info.coresAllowed)
  })

  // FastEmbed's guide: `TextEmbedding(threads=8)` and `embed(documents, parallel=4)`, written on a laptop and run in a container.
  it('that are asked for beyond the cores are cut to them, and said once', async () => {
    const { models, warnings } = await reportOf<{ models: Clamped[]; warnings: Warning[] }>('clamped.mjs')
    const [sessions, threads, both, modest] = models
    const cores = sessions?.coresAllowed ?? 0
    const reason = expect.any(String)
    expect(sessions).toMatchObject({ sessions: cores, threadsPerSession: 1, rows: 2 })
    expect(sessions?.clamped).toEqual({ parallel: 5000, reason })
    expect(threads).toMatchObject({ sessions: 1, threadsPerSession: cores, rows: 2 })
    expect(threads?.clamped).toEqual({ threads: 5000, reason })
    expect(both).toMatchObject({ sessions: cores, threadsPerSession: 1, rows: 2 })
    expect(both?.clamped).toEqual({ parallel: 5000, threads: 4000, reason })
    expect(modest).toMatchObject({ sessions: 1, threadsPerSession: 1, rows: 2 })
    expect(modest).not.toHaveProperty('clamped')
    const clamped = warnings.filter(({ code }) => code === 'MILLRACE_CLAMPED')
    expect(clamped).toHaveLength(1)
    expect(clamped[0]?.message).toContain('parallel 5000')
    expect(clamped[0]?.detail).toContain(`may use ${cores} core`)
  })

  it('use no processor when there is nothing to do', async () => {
    const { milliseconds } = await reportOf<{ milliseconds: number }>('idle.mjs')
    expect(milliseconds).toBeLessThan(50)
  })
})

describe('the event loop', () => {
  // The promise is p99 10 ms and max 50 ms. What counts here is the processor time of the loop's own thread; the delay by
  // the clock, in which other programs have a share, is measured in `benches/node/event-loop.mjs`.
  it('is free at full load', async () => {
    const { p99, max, processorSeconds } = await reportOf<LoopTurns & { processorSeconds: number }>(
      'event-loop.mjs',
    )
    expect(processorSeconds).toBeGreaterThan(0.5) // else there was no load
    expect(p99).toBeLessThanOrEqual(10)
    expect(max).toBeLessThanOrEqual(50)
  })
})
