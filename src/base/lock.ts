/**
 * A lock between processes, as numbered files in a directory of its own. The highest number holds; the next is made,
 * exclusively, once its holder has released it, is dead or has stopped beating. Numbers only rise, so two waiters that
 * find the same dead holder cannot both take over. The lock saves work; what makes the store right without it is that
 * content is verified before it is renamed into place.
 */

import { mkdir, open, readdir, readFile, readlink, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMissing, systemCode } from './durable.js'
import { isRecord } from './is.js'

/** In milliseconds. */
export interface LockTiming {
  /** How often a holder shows that it lives. */
  beatMs: number
  /** A holder that did not beat for so long, as the waiter's own clock has it, is taken for dead. */
  staleMs: number
  /** How often a waiter looks. */
  pollMs: number
}

export const LOCK_TIMING: LockTiming = {
  beatMs: 2_000,
  // Fifteen beats: a stopped or swapping machine is not a dead one. A dead process of this machine is seen at once.
  staleMs: 30_000,
  pollMs: 100,
}

export interface HeldLock {
  /** Aborts when another process has taken over. */
  readonly lost: AbortSignal
  release(): Promise<void>
}

/** A holder is looked at so often, at least, before it is taken for dead. */
const LOOKS = 10

const LOCK_FILE = /^(\d+)\.lock$/

/** Waits for the lock. Rejects with `signal.reason` when aborted. */
export async function acquireLock(
  directory: string,
  signal: AbortSignal | undefined,
  timing: LockTiming = LOCK_TIMING,
): Promise<HeldLock> {
  const waiting = new Waiting(timing.staleMs)
  for (;;) {
    signal?.throwIfAborted()
    const lock = await tryLock(directory, timing, waiting)
    if (lock !== undefined) return lock
    // Spread, so that waiters do not look in step.
    await sleep(timing.pollMs * (0.5 + Math.random()), undefined, { signal }).catch(() => {})
  }
}

/** The lock, or nothing when somebody holds it. */
export async function tryLock(
  directory: string,
  timing: LockTiming = LOCK_TIMING,
  waiting: Waiting = new Waiting(timing.staleMs),
): Promise<HeldLock | undefined> {
  await mkdir(directory, { recursive: true })
  const last = await newest(directory)
  if (last > 0 && !(await waiting.isFree(join(directory, `${last}.lock`)))) return undefined
  const mine = last + 1
  const path = join(directory, `${mine}.lock`)
  try {
    const owner = JSON.stringify({ pid: process.pid, host: await thisHost() })
    await writeFile(path, owner, { flag: 'wx' })
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return undefined
    throw error
  }
  // A number below the newest may have been free again: it was tidied away.
  if ((await newest(directory)) !== mine) {
    await rm(path, { force: true })
    return undefined
  }
  for (const number of await numbers(directory)) {
    if (number < mine) await rm(join(directory, `${number}.lock`), { force: true })
  }
  return hold(directory, mine, timing.beatMs)
}

/**
 * The lock; or nothing, as soon as its holder shows that it lives. A holder that cannot be asked (of another machine or container) is
 * watched, at the longest until it counts as dead. Rejects with `signal.reason` when aborted.
 */
export async function lockUnlessHeld(
  directory: string,
  signal: AbortSignal | undefined,
  timing: LockTiming = LOCK_TIMING,
): Promise<HeldLock | undefined> {
  const waiting = new Waiting(timing.staleMs)
  while (!waiting.sawLife) {
    signal?.throwIfAborted()
    const lock = await tryLock(directory, timing, waiting)
    if (lock !== undefined) return lock
    await sleep(timing.pollMs, undefined, { signal }).catch(() => {})
  }
  return undefined
}

function hold(directory: string, mine: number, beatMs: number): HeldLock {
  const path = join(directory, `${mine}.lock`)
  const lost = new AbortController()
  const beat = async () => {
    const now = new Date()
    await utimes(path, now, now)
    if ((await newest(directory)) !== mine) throw new LockLost()
  }
  const timer = setInterval(() => {
    beat().catch(() => lost.abort(new LockLost()))
  }, beatMs).unref()
  return {
    lost: lost.signal,
    async release() {
      clearInterval(timer)
      // Whoever took over has removed it.
      const file = await open(path, 'r+').catch(() => undefined)
      if (file === undefined) return
      try {
        await file.truncate()
        await file.writeFile(JSON.stringify({ released: true }))
      } finally {
        await file.close()
      }
    },
  }
}

/** Another process took the lock over. */
export class LockLost extends Error {
  override readonly name = 'LockLost'
}

/** What a waiter has seen of the holder. */
class Waiting {
  readonly #staleMs: number
  /** A holder beat, or another one came, while it was watched. */
  sawLife = false
  #seen = ''
  #silentMs = 0
  #lookedAt = performance.now()

  constructor(staleMs: number) {
    this.#staleMs = staleMs
  }

  async isFree(path: string): Promise<boolean> {
    let beat: string
    let content: string
    try {
      const file = await open(path, 'r')
      try {
        beat = String((await file.stat({ bigint: true })).mtimeNs)
        content = await file.readFile('utf8')
      } finally {
        await file.close()
      }
    } catch (error) {
      // Tidied away: look again.
      if (isMissing(error)) return false
      throw error
    }
    const owner = parse(content)
    if (owner['released'] === true) return true
    if (owner['host'] === (await thisHost()) && isDead(owner['pid'])) return true
    const now = performance.now()
    // A waiter that did not look, because it was stopped or busy, has heard nothing, not silence.
    const passed = Math.min(now - this.#lookedAt, this.#staleMs / LOOKS)
    this.#lookedAt = now
    const silent = this.#seen === `${path} ${beat}`
    if (!silent && this.#seen !== '') this.sawLife = true
    this.#seen = `${path} ${beat}`
    this.#silentMs = silent ? this.#silentMs + passed : 0
    return this.#silentMs >= this.#staleMs
  }
}

/** Half-written content is nobody's; then only the heartbeat counts. */
function parse(content: string): Record<string, unknown> {
  try {
    const owner: unknown = JSON.parse(content)
    return isRecord(owner) ? owner : {}
  } catch {
    return {}
  }
}

function isDead(pid: unknown): boolean {
  if (typeof pid !== 'number') return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return systemCode(error) === 'ESRCH'
  }
}

async function numbers(directory: string): Promise<number[]> {
  const names = await readdir(directory)
  return names.map((name) => Number(LOCK_FILE.exec(name)?.[1] ?? 0)).filter((number) => number > 0)
}

async function newest(directory: string): Promise<number> {
  return Math.max(0, ...(await numbers(directory)))
}

let host: Promise<string> | undefined

/** Where process ids mean the same: containers may share a host name, but not their ids. */
function thisHost(): Promise<string> {
  host ??= Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    readlink('/proc/self/ns/pid'),
  ]).then(
    ([boot, namespace]) => `${boot.trim()} ${namespace}`,
    () => hostname(),
  )
  return host
}
