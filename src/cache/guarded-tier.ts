/**
 * A tier as the cache uses it: it cannot fail and cannot be late. What is written waits here, so that nobody waits for it.
 * Which tier is asked first is decided in `tiered-cache.ts`.
 */

import { isBytes } from '../base/foreign.js'
import { type Backoff, backoffMs } from '../base/retry.js'
import { nextTurn } from '../base/turn.js'
import type { CacheAnswer, CacheEntry, CacheTier, CacheTierMetrics } from '../options/cache.js'
import { isIntact } from './entry.js'

/** Time limit of tiers that name none: far above what a disk takes, short enough to wait for once. */
const DEFAULT_TIMEOUT_MS = 2000

/**
 * How long a tier is left alone after its first failure, and at most after many in a row: a Redis that stays away costs
 * its time limit once in so long, and one that comes back is used soon.
 */
const PAUSES: Backoff = { firstMs: 250, longestMs: 5000 }

/** Most bytes that wait to be written: seconds of rows that are computed, or 20,000 of 384 floats. */
const WAITING_BYTES = 32 * 1024 * 1024

/** One write: large enough that its cost is the bytes', small enough that it does not hold up reads. */
const WRITE_ENTRIES = 512
const WRITE_BYTES = 2 * 1024 * 1024

class TierTimeout extends Error {}

/** Clients bring promises of their own. */
const isThenable = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

/** A tier behind its limits. */
export class GuardedTier {
  readonly #tier: CacheTier
  readonly #counts = {
    hits: 0,
    misses: 0,
    errors: 0,
    timeouts: 0,
    corrupt: 0,
    bytesRead: 0,
    bytesWritten: 0,
    dropped: 0,
  }
  /** Not written yet; answers reads meanwhile. */
  readonly #waiting = new Map<string, Uint8Array>()
  #waitingBytes = 0
  #writing: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #failuresInRow = 0
  #pausedUntil = 0
  #closed = false

  constructor(tier: CacheTier) {
    this.#tier = tier
  }

  /** Whether it answers at once. */
  get immediate(): boolean {
    return this.#tier.immediate === true
  }

  metrics(): CacheTierMetrics {
    const { name, bytes } = this.#tier
    return { name, ...this.#counts, waiting: this.#waiting.size, ...(bytes !== undefined && { bytes }) }
  }

  /** The intact values of `keys`, of a tier that answers at once. */
  getNow(keys: readonly string[]): CacheAnswer {
    if (this.#closed) return this.#missed(keys)
    try {
      return this.#checked(keys, this.#tier.getMany(keys))
    } catch {
      this.#counts.errors++
      return this.#missed(keys)
    }
  }

  /** The intact values of `keys`; never rejects. */
  async get(keys: readonly string[]): Promise<CacheAnswer> {
    if (this.immediate) return this.getNow(keys)
    if (this.#waiting.size === 0) return this.#ask(keys)
    const found: CacheAnswer = keys.map((key) => this.#waiting.get(key))
    const places = [...keys.keys()].filter((i) => found[i] === undefined)
    for (const value of found) if (value !== undefined) this.#count(value)
    if (places.length > 0) {
      const rest = await this.#ask(places.map((i) => keys[i] as string))
      for (const [k, i] of places.entries()) found[i] = rest[k]
    }
    return found
  }

  /** Keeps values, soon. */
  put(entries: readonly CacheEntry[]): void {
    if (entries.length === 0 || this.#closed) return
    if (this.immediate) {
      try {
        void this.#tier.setMany(entries)
        this.#written(entries)
      } catch {
        this.#counts.errors++
        this.#counts.dropped += entries.length
      }
      return
    }
    for (const [key, value] of entries) {
      if (this.#waitingBytes + value.byteLength > WAITING_BYTES) {
        this.#counts.dropped++
        continue
      }
      this.#forget(key)
      this.#waiting.set(key, value)
      this.#waitingBytes += value.byteLength
    }
    this.#startWriting()
  }

  /** Writes what waits, even to a tier that failed just now; what fails again is dropped. */
  async flush(): Promise<void> {
    await this.#writing
    this.#pausedUntil = 0
    this.#startWriting()
    await this.#writing
    this.#counts.dropped += this.#waiting.size
    this.#waiting.clear()
    this.#waitingBytes = 0
    clearTimeout(this.#retry)
    await this.#attempt(() => this.#tier.flush())
  }

  async close(): Promise<void> {
    await this.flush()
    this.#closed = true
    await this.#attempt(() => this.#tier.close())
  }

  async #ask(keys: readonly string[]): Promise<CacheAnswer> {
    if (this.#closed || this.#paused()) return this.#missed(keys)
    const answer = await this.#attempt(() => this.#tier.getMany(keys))
    return answer === undefined ? this.#missed(keys) : this.#checked(keys, answer.value)
  }

  #checked(keys: readonly string[], answer: unknown): CacheAnswer {
    if (!Array.isArray(answer) || answer.length !== keys.length) {
      this.#counts.errors++
      return this.#missed(keys)
    }
    const values: unknown[] = answer
    return keys.map((key, i) => {
      const value = values[i]
      if (value === undefined || value === null) {
        this.#counts.misses++
        return undefined
      }
      if (isBytes(value) && isIntact(key, value)) return this.#count(value)
      this.#counts.corrupt++
      this.#counts.misses++
      return undefined
    })
  }

  #count(value: Uint8Array): Uint8Array {
    this.#counts.hits++
    this.#counts.bytesRead += value.byteLength
    return value
  }

  #missed(keys: readonly string[]): CacheAnswer {
    this.#counts.misses += keys.length
    return new Array(keys.length).fill(undefined)
  }

  #written(entries: readonly CacheEntry[]): void {
    for (const [, value] of entries) this.#counts.bytesWritten += value.byteLength
  }

  #paused(): boolean {
    return performance.now() < this.#pausedUntil
  }

  /** What a call of the tier gives; `undefined` when it failed or was late. */
  async #attempt<T>(call: () => T | Promise<T>): Promise<{ value: T } | undefined> {
    let timer: NodeJS.Timeout | undefined
    try {
      const called = call()
      if (!isThenable(called)) return { value: called }
      const answered = Promise.resolve(called)
      answered.catch(() => {}) // where it fails after its time
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new TierTimeout()), this.#tier.timeoutMs ?? DEFAULT_TIMEOUT_MS)
      })
      const value = await Promise.race([answered, late])
      this.#failuresInRow = 0
      return { value }
    } catch (error) {
      if (error instanceof TierTimeout) this.#counts.timeouts++
      else this.#counts.errors++
      // Calls that were under way together fail together, for one reason.
      if (!this.#paused()) {
        this.#pausedUntil = performance.now() + backoffMs(++this.#failuresInRow, PAUSES)
      }
      return undefined
    } finally {
      clearTimeout(timer)
    }
  }

  #startWriting(): void {
    if (this.#writing !== undefined || this.#waiting.size === 0) return
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined
    })
  }

  async #write(): Promise<void> {
    // What comes in the same turn goes together.
    await nextTurn()
    while (this.#waiting.size > 0) {
      if (this.#paused()) return this.#later()
      const entries = this.#nextEntries()
      if ((await this.#attempt(() => this.#tier.setMany(entries))) === undefined) return this.#later()
      this.#written(entries)
      for (const [key, value] of entries) if (this.#waiting.get(key) === value) this.#forget(key)
    }
  }

  #later(): void {
    clearTimeout(this.#retry)
    const wait = Math.max(this.#pausedUntil - performance.now(), 1)
    this.#retry = setTimeout(() => this.#startWriting(), wait).unref()
  }

  #nextEntries(): CacheEntry[] {
    const entries: CacheEntry[] = []
    let bytes = 0
    for (const entry of this.#waiting) {
      entries.push(entry)
      bytes += entry[1].byteLength
      if (entries.length === WRITE_ENTRIES || bytes >= WRITE_BYTES) break
    }
    return entries
  }

  #forget(key: string): void {
    const value = this.#waiting.get(key)
    if (value === undefined) return
    this.#waiting.delete(key)
    this.#waitingBytes -= value.byteLength
  }
}
