/** Worker threads load, share and die in the middle of runs, and nobody else notices. */

import { describe, expect, it } from 'vitest'
import { reportOf, runChild } from '../support/run-child.js'

const options = (way: string) => ({ args: [way], killAfterMs: 60_000 })

describe('worker threads', () => {
  it('load four at once', async () => {
    expect(await reportOf('workers.mjs', options('load at once'))).toEqual({
      codes: [0, 0, 0, 0],
      same: [true, true, true, true],
    })
  })

  it('share the processor with the main thread', async () => {
    expect(await reportOf('workers.mjs', options('sharing'))).toEqual({ same: true })
  })

  it('are terminated mid-run 20 times, beside a main thread that works on', async () => {
    const { right, idleMilliseconds } = await reportOf<{ right: number; idleMilliseconds: number }>(
      'workers.mjs',
      options('terminate mid-run'),
    )
    expect(right).toBe(20)
    expect(idleMilliseconds, 'their calls live on').toBeLessThan(50)
  })

  it('are terminated while they load', async () => {
    expect(await reportOf('workers.mjs', options('terminate during load'))).toEqual({ rows: 12 })
  })

  it('are in the middle of runs when the process exits', async () => {
    const result = await runChild('workers.mjs', options('exit mid-run'))
    expect(result, result.stderr).toMatchObject({ code: 7, signal: null, timedOut: false })
  })
})
