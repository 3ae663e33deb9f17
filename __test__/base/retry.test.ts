import { expect, it } from 'vitest'
import { backoffMs, retried } from '../../src/base/retry.js'

it('doubles pauses up to the longest', () => {
  const backoff = { firstMs: 250, longestMs: 1500 }
  expect([1, 2, 3, 4, 5].map((failures) => backoffMs(failures, backoff))).toEqual([
    250, 500, 1000, 1500, 1500,
  ])
})

it('tries again until it succeeds, and counts the failures', async () => {
  const counted: number[] = []
  let left = 3
  const attempt = async () => {
    if (left-- > 0) throw new Error('busy')
    return 'done'
  }
  const pause = (_: unknown, failures: number) => {
    counted.push(failures)
    return 0
  }
  expect(await retried(attempt, pause)).toBe('done')
  expect(counted).toEqual([1, 2, 3])
})

it('gives a final error as it is', async () => {
  const final = new Error('no such model')
  let attempts = 0
  const attempt = async () => {
    attempts++
    throw final
  }
  await expect(retried(attempt, (_, failures) => (failures < 3 ? 0 : undefined))).rejects.toBe(final)
  expect(attempts).toBe(3)
})

it('ends a pause with the reason of the abort', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  let attempts = 0
  const attempt = async () => {
    attempts++
    queueMicrotask(() => controller.abort(reason))
    throw new Error('busy')
  }
  await expect(retried(attempt, () => 2 ** 30, controller.signal)).rejects.toBe(reason)
  expect(attempts).toBe(1)
})

it('attempts nothing once the signal is aborted', async () => {
  const reason = new Error('before')
  const attempt = async () => expect.unreachable()
  await expect(retried(attempt, () => 0, AbortSignal.abort(reason))).rejects.toBe(reason)
})
