/**
 * A tier of files: logs that any number of processes append to and read. The oldest log goes when there are too many bytes;
 * what is used in the older half is appended again before that, so that what is used stays.
 *
 * Nothing is locked. One `write` in append mode is whole on a local disk; where it is not (network file systems) records may
 * spoil each other, which their checksums show. A crash costs what was not written yet.
 */

import { mkdir, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { CacheAnswer, CacheEntry, CacheTier } from '../../options/cache.js'
import { parseOptions } from '../../options/check.js'
import { directory } from '../../options/model.js'
import { isIntact } from '../entry.js'
import { byteCount } from '../memory.js'
import { keyHead } from './record.js'
import { Segment } from './segment.js'

/** Options of {@link disk}. */
export interface DiskOptions {
  /** Most bytes of the files together; passed by up to a sixteenth while one is filled. */
  maxBytes: number
}

/** Logs that share `maxBytes`: one is what is dropped at a time. */
const LOGS = 16
/** A log's bytes at least, so that small caches do not become many files, and at most, so that offsets have 32 bits. */
const LEAST_LOG_BYTES = 64 * 1024
const MOST_LOG_BYTES = 1024 ** 3

/** After so many milliseconds a look-up or an append first looks for what other processes have written. */
const REFRESH_MS = 1000

/** Rows that are used while they lie in the older half are appended again. At most so many bytes of them wait; the others wait for a later use. */
const RENEW_BYTES = 4 * 1024 * 1024

/** Names of logs; the first number is the format's. */
const NAME = /^rows-1-(\d{10})\.log$/
const nameOf = (id: number) => `rows-1-${String(id).padStart(10, '0')}.log`
const idsIn = (names: readonly string[]): number[] =>
  names.map((name) => Number(NAME.exec(name)?.[1] ?? 0)).filter((id) => id > 0)

class DiskTier implements CacheTier {
  readonly name = 'disk'
  readonly #dir: string
  readonly #maxBytes: number
  readonly #logBytes: number
  /** The open logs, from the newest to the oldest. Only work under `#exclusively` changes the list. */
  #segments: Segment[] = []
  /** The first use opens the directory; every look-up and append awaits it. Absent again after a failure, so that it is tried anew. */
  #opening: Promise<void> | undefined
  /** The look at what other processes wrote, while it is under way; whoever needs the logs meanwhile awaits the same one. */
  #refreshing: Promise<void> | undefined
  /** When that look was last over, on the clock of `performance.now()`. */
  #refreshed = 0
  /** The end of the last append that was asked for. Appends are chained on it, so there is one at a time, in order. */
  #writing: Promise<void> = Promise.resolve()
  /** The end of the last change of `#segments` that was asked for. Changes are chained on it. */
  #changing: Promise<void> = Promise.resolve()
  /** Bytes of used rows that wait to be appended again. */
  #renewing = 0
  /** Logs with bytes that were appended and are not known to be on the disk. `flush` syncs them. */
  readonly #unsynced = new Set<Segment>()

  constructor(dir: string, maxBytes: number) {
    this.#dir = dir
    this.#maxBytes = maxBytes
    this.#logBytes = Math.min(Math.max(Math.floor(maxBytes / LOGS), LEAST_LOG_BYTES), MOST_LOG_BYTES)
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { size }) => sum + size, 0)
  }

  async getMany(keys: readonly string[]): Promise<CacheAnswer> {
    await this.#ready()
    const found: CacheAnswer = new Array(keys.length).fill(undefined)
    const wanted = new Map<Segment, Parameters<Segment['read']>[0]>()
    for (const [place, key] of keys.entries()) {
      const { high, low } = keyHead(key)
      for (const segment of this.#segments) {
        const at = segment.place(high, low)
        if (at === undefined) continue
        const list = wanted.get(segment)
        if (list === undefined) wanted.set(segment, [{ key, place, ...at }])
        else list.push({ key, place, ...at })
        break
      }
    }
    const old = this.#olderHalf()
    const used: CacheEntry[] = []
    const reads = [...wanted].map(([segment, list]) =>
      segment.read(list, (place, value) => {
        const key = keys[place] as string
        found[place] = value
        if (!isIntact(key, value)) segment.forget(key)
        else if (old.has(segment)) used.push([key, value])
      }),
    )
    await Promise.all(reads)
    this.#renew(used)
    return found
  }

  setMany(entries: readonly CacheEntry[]): Promise<void> {
    return this.#append(entries, (key) => {
      const { high, low } = keyHead(key)
      return this.#segments.every((segment) => segment.place(high, low) === undefined)
    })
  }

  async flush(): Promise<void> {
    await this.#writing
    for (const segment of [...this.#unsynced]) {
      // Taken out first: what is appended during the sync puts the log in again.
      this.#unsynced.delete(segment)
      try {
        await segment.sync()
      } catch (error) {
        // Nothing says how much is on the disk, so the next flush must try again.
        this.#unsynced.add(segment)
        throw error
      }
    }
  }

  /**
   * Awaits the opening, the appends and the look at other processes' logs that are under way: each of them opens files, which
   * would stay open if the list were closed before.
   */
  async close(): Promise<void> {
    await this.#opening?.catch(() => {})
    await this.#writing
    await this.#refreshing?.catch(() => {})
    await this.#changing
    await Promise.all(this.#segments.map((segment) => segment.close()))
    this.#segments = []
    this.#unsynced.clear()
  }

  /** One append at a time; only those whose key `isNew`. */
  #append(entries: readonly CacheEntry[], isNew: (key: string) => boolean): Promise<void> {
    const appended = this.#writing.then(async () => {
      await this.#ready()
      const fresh = entries.filter(([key]) => isNew(key))
      if (fresh.length === 0) return
      const active = await this.#exclusively(() => this.#active())
      this.#unsynced.add(active)
      await active.append(fresh)
    })
    this.#writing = appended.catch(() => {})
    return appended
  }

  /** The log to append to; a new one where the newest is full. */
  async #active(): Promise<Segment> {
    const newest = this.#segments[0]
    if (newest !== undefined && newest.size < this.#logBytes) return newest
    const id = (newest?.id ?? 0) + 1
    const segment = await Segment.make(id, join(this.#dir, nameOf(id)))
    this.#segments.unshift(segment)
    await newest?.seal()
    await this.#evict()
    return segment
  }

  async #evict(): Promise<void> {
    while (this.#segments.length > 1 && this.bytes + this.#logBytes > this.#maxBytes) {
      const oldest = this.#segments.pop()
      if (oldest === undefined) return
      this.#unsynced.delete(oldest)
      await oldest.remove()
    }
  }

  /** Logs whose rows would be among the next to go. */
  #olderHalf(): Set<Segment> {
    let bytes = 0
    return new Set(
      this.#segments.filter(({ size }) => {
        bytes += size
        return bytes > this.#maxBytes / 2
      }),
    )
  }

  #renew(used: readonly CacheEntry[]): void {
    const bytes = used.reduce((sum, [, value]) => sum + value.byteLength, 0)
    if (bytes === 0 || this.#renewing + bytes > RENEW_BYTES) return
    this.#renewing += bytes
    const old = this.#olderHalf()
    const isOld = (key: string): boolean => {
      const { high, low } = keyHead(key)
      const newest = this.#segments.find((segment) => segment.place(high, low) !== undefined)
      return newest === undefined || old.has(newest)
    }
    this.#append(used, isOld)
      .catch(() => {}) // it is still where it was
      .finally(() => {
        this.#renewing -= bytes
      })
  }

  /** What changes the list of logs, one after the other. */
  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(work)
    this.#changing = done.then(
      () => {},
      () => {},
    )
    return done
  }

  /** Opens the logs the first time; from time to time looks for what others wrote. */
  async #ready(): Promise<void> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    await this.#opening
    if (performance.now() - this.#refreshed < REFRESH_MS) return
    this.#refreshing ??= this.#exclusively(() => this.#refresh()).finally(() => {
      this.#refreshed = performance.now()
      this.#refreshing = undefined
    })
    await this.#refreshing
  }

  async #open(): Promise<void> {
    await mkdir(this.#dir, { recursive: true })
    await this.#exclusively(() => this.#refresh())
    this.#refreshed = performance.now()
  }

  async #refresh(): Promise<void> {
    const ids = new Set(idsIn(await readdir(this.#dir)))
    for (const segment of this.#segments) {
      if (ids.has(segment.id)) continue
      this.#unsynced.delete(segment)
      await segment.close()
    }
    // Only the last ones can have grown: a process may not have seen yet that there is a newer one.
    await Promise.all(this.#segments.slice(0, 2).map((segment) => segment.refresh().catch(() => {})))
    const known = new Set(this.#segments.map(({ id }) => id))
    const added: Segment[] = []
    const newest = Math.max(...ids)
    for (const id of [...ids].sort((a, b) => b - a)) {
      if (known.has(id)) continue
      const segment = await this.#openExisting(id)
      if (segment === undefined) continue
      added.push(segment)
      if (id !== newest) await segment.seal().catch(() => {}) // a directory that only can be read
    }
    this.#segments = [...this.#segments.filter(({ id }) => ids.has(id)), ...added].sort((a, b) => b.id - a.id)
  }

  /** `undefined` when it was deleted meanwhile. */
  async #openExisting(id: number): Promise<Segment | undefined> {
    try {
      return await Segment.open(id, join(this.#dir, nameOf(id)))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
}

/**
 * Keeps values in files of a directory of their own, up to `maxBytes`; those used least recently go first, roughly. Safe for any
 * number of processes at a time and against crashes. The directory is made where it is missing. It takes 32 to 64 bytes of memory
 * for each row on disk.
 *
 * @throws MillraceError INVALID_OPTION.
 */
export function disk(path: string | URL, options: DiskOptions): CacheTier {
  const dir = resolve(directory('path', path))
  const { maxBytes } = parseOptions<DiskOptions>('disk', options ?? {}, { maxBytes: byteCount })
  return new DiskTier(dir, byteCount('maxBytes', maxBytes))
}
