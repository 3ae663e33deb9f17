/** The lock between processes: one holder at a time, whatever became of the one before. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeEach, expect, it, vi } from 'vitest'
import { acquireLock, LockLost, tryLock } from '../../src/base/lock.js'
import { FAST } from './support/fixture.js'

/** Runs once, just before the lock's own file is written: what other processes do in that moment. */
let meanwhile: (() => void) | undefined
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  return {
    ...real,
    writeFile: (...args: Parameters<typeof real.writeFile>) => {
      meanwhile?.()
      meanwhile = undefined
      return real.writeFile(...args)
    },
  }
})

const made: string[] = []
let directory = ''
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'millrace-lock-')), 'lock')
  made.push(directory)
})
afterAll(() => {
  for (const path of made) rmSync(join(path, '..'), { recursive: true, force: true })
})

const locked = () => readdirSync(directory)
const acquire = (signal?: AbortSignal) => acquireLock(directory, signal, FAST.lock)

/** A lock that somebody else left. */
function leave(number: number, content: string) {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, `${number}.lock`), content)
}

/** The id of a process that has ended. */
const deadPid = () => Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }))

async function ownerNow(): Promise<{ pid: number; host: string }> {
  const lock = await acquire()
  const owner = JSON.parse(readFileSync(join(directory, locked()[0] ?? ''), 'utf8'))
  await lock.release()
  return owner
}

it('is held by one at a time', async () => {
  let holders = 0
  let most = 0
  const one = async () => {
    for (let turn = 0; turn < 20; turn++) {
      const lock = await acquireLock(directory, undefined, { ...FAST.lock, pollMs: 1 })
      most = Math.max(most, ++holders)
      await sleep(turn % 3)
      holders--
      await lock.release()
    }
  }
  await Promise.all(Array.from({ length: 12 }, one))
  expect(most).toBe(1)
  // However often it was held, one small file is left.
  expect(locked()).toHaveLength(1)
})

it('is refused or waited for while it is held', async () => {
  const lock = await acquire()
  expect(await tryLock(directory, FAST.lock)).toBe(undefined)
  const next = acquire()
  await sleep(FAST.lock.staleMs * 2)
  expect(await Promise.race([next, 'waiting'])).toBe('waiting')
  expect(lock.lost.aborted).toBe(false)
  await lock.release()
  await (await next).release()
})

it('is waited for until the signal says otherwise', async () => {
  const lock = await acquire()
  const reason = new Error('enough')
  await expect(acquire(AbortSignal.abort(reason))).rejects.toBe(reason)
  const controller = new AbortController()
  setTimeout(() => controller.abort(reason), 20)
  await expect(acquire(controller.signal)).rejects.toBe(reason)
  await lock.release()
})

it('of a dead process of this machine is taken over at once', async () => {
  const { host } = await ownerNow()
  leave(7, JSON.stringify({ pid: deadPid(), host }))
  const lock = await tryLock(directory, FAST.lock)
  expect(lock).toBeDefined()
  expect(locked()).toEqual(['8.lock'])
  await lock?.release()
})

it.each([
  ['of another machine', () => ({ pid: deadPid(), host: `not ${hostname()}` })],
  ['of a process that has its id now', async () => ({ ...(await ownerNow()), pid: process.ppid })],
  ['half written', () => undefined],
])('%s is taken over when it does not beat, and not before', async (_, owner) => {
  const content = await owner()
  leave(20, content === undefined ? '{"pi' : JSON.stringify(content))
  const holder = join(directory, '20.lock')
  const beats = setInterval(() => utimesSync(holder, new Date(), new Date()), 100)
  const next = acquire()
  try {
    await sleep(FAST.lock.staleMs * 2)
    expect(locked()).not.toContain('21.lock')
  } finally {
    clearInterval(beats)
  }
  const lock = await next
  expect(locked()).toEqual(['21.lock'])
  await lock.release()
})

it('goes to one of many who find the same dead holder', async () => {
  const { host } = await ownerNow()
  const pid = deadPid()
  for (let round = 1; round <= 10; round++) {
    leave(1000 * round, JSON.stringify({ pid, host }))
    const won = await Promise.all(Array.from({ length: 8 }, () => tryLock(directory, FAST.lock)))
    expect(won.filter((lock) => lock !== undefined)).toHaveLength(1)
    await won.find((lock) => lock !== undefined)?.release()
  }
})

it('is not held by a number that others have left behind', async () => {
  leave(5, JSON.stringify({ released: true }))
  // Between our look and our file: taken as 6, released, taken as 7, tidied.
  meanwhile = () => {
    leave(7, '{}')
    rmSync(join(directory, '5.lock'))
  }
  expect(await tryLock(directory, FAST.lock)).toBe(undefined)
  expect(locked()).toEqual(['7.lock'])
})

it('tells a holder that it was taken over', async () => {
  const lock = await acquire()
  const [name = ''] = locked()
  leave(Number.parseInt(name, 10) + 1, '{}')
  await sleep(FAST.lock.beatMs * 3)
  expect(lock.lost.aborted).toBe(true)
  expect(lock.lost.reason).toBeInstanceOf(LockLost)
  await lock.release()
  const removed = await acquireLock(join(directory, 'other'), undefined, FAST.lock)
  rmSync(join(directory, 'other'), { recursive: true })
  await sleep(FAST.lock.beatMs * 3)
  expect(removed.lost.aborted).toBe(true)
  await removed.release()
})
