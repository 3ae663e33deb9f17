/** Several tiers as one cache: the first that has a value gives it, and those before it get it too. */

import { invalidOption } from '../base/errors.js'
import { isRecord } from '../base/is.js'
import type { CacheAnswer, CacheEntry, CacheMetrics, CacheTier, TieredCache } from '../options/cache.js'
import { GuardedTier } from './guarded-tier.js'

/** The one implementation of {@link TieredCache}, over guarded tiers. */
class GuardedTiers implements TieredCache {
  readonly #tiers: readonly GuardedTier[]
  /** How many tiers at the front answer at once. */
  readonly #immediate: number
  #hits = 0
  #misses = 0
  #shared = 0
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(tiers: readonly CacheTier[]) {
    this.#tiers = tiers.map((tier) => new GuardedTier(tier))
    const later = this.#tiers.findIndex((tier) => !tier.immediate)
    this.#immediate = later < 0 ? tiers.length : later
  }

  /** Counters since the cache was made. */
  metrics(): CacheMetrics {
    const tiers = this.#tiers.map((tier) => tier.metrics())
    return { hits: this.#hits, misses: this.#misses, shared: this.#shared, tiers }
  }

  /** Resolves when all rows so far are where they shall stay. Closing a model does that too. */
  async flush(): Promise<void> {
    await Promise.all(this.#tiers.map((tier) => tier.flush()))
  }

  /** Writes what waits and frees what the tiers hold; later look-ups find nothing. May be called again. */
  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#tiers.map((tier) => tier.close())).then(() => {})
    return this.#closing
  }

  /** `close()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @internal Whether there is a tier that must be waited for. */
  get waits(): boolean {
    return this.#immediate < this.#tiers.length
  }

  /** @internal What the tiers that answer at once have. */
  now(keys: readonly string[]): CacheAnswer {
    const found: CacheAnswer = new Array(keys.length).fill(undefined)
    let missing = [...keys.keys()]
    for (let t = 0; t < this.#immediate && missing.length > 0; t++) {
      const tier = this.#tiers[t]
      const answer = tier?.getNow(missing.length === keys.length ? keys : pick(keys, missing)) ?? []
      missing = this.#fill(found, missing, answer, keys, t)
    }
    return found
  }

  /** @internal What the other tiers have. Never rejects. */
  async later(keys: readonly string[]): Promise<CacheAnswer> {
    const found: CacheAnswer = new Array(keys.length).fill(undefined)
    let missing = [...keys.keys()]
    for (let t = this.#immediate; t < this.#tiers.length && missing.length > 0; t++) {
      const answer = (await this.#tiers[t]?.get(pick(keys, missing))) ?? []
      missing = this.#fill(found, missing, answer, keys, t)
    }
    return found
  }

  /** @internal What any tier has. Never rejects. */
  async find(keys: readonly string[]): Promise<CacheAnswer> {
    const found = this.now(keys)
    const missing = [...keys.keys()].filter((i) => found[i] === undefined)
    if (missing.length === 0) return found
    const rest = await this.later(pick(keys, missing))
    for (const [k, i] of missing.entries()) found[i] = rest[k]
    return found
  }

  /** @internal Keeps rows in all tiers, without delay. */
  put(entries: readonly CacheEntry[]): void {
    for (const tier of this.#tiers) tier.put(entries)
  }

  /** @internal */
  count(what: 'hits' | 'misses' | 'shared', inputs: number): void {
    if (what === 'hits') this.#hits += inputs
    else if (what === 'misses') this.#misses += inputs
    else this.#shared += inputs
  }

  /** Takes over what tier `t` has, and gives it to the tiers before; the places that are still empty. */
  #fill(
    found: CacheAnswer,
    places: readonly number[],
    answer: CacheAnswer,
    keys: readonly string[],
    t: number,
  ): number[] {
    const missing: number[] = []
    const promoted: CacheEntry[] = []
    for (const [k, place] of places.entries()) {
      const value = answer[k]
      if (value === undefined) missing.push(place)
      else {
        found[place] = value
        if (t > 0) promoted.push([keys[place] as string, value])
      }
    }
    for (let before = 0; before < t; before++) this.#tiers[before]?.put(promoted)
    return missing
  }
}

const pick = (keys: readonly string[], places: readonly number[]): string[] =>
  places.map((place) => keys[place] as string)

const METHODS = ['getMany', 'setMany', 'flush', 'close'] as const

function isTier(value: unknown): value is CacheTier {
  return (
    isRecord(value) &&
    typeof value['name'] === 'string' &&
    METHODS.every((method) => typeof value[method] === 'function')
  )
}

/**
 * A cache of rows over some tiers, the fastest first: `memory`, `redis`, `disk` or a {@link CacheTier} of your own.
 *
 * @throws MillraceError INVALID_OPTION.
 *
 * @example
 * const cache = tieredCache([memory({ maxBytes: 256e6 }), disk('./rows', { maxBytes: 8e9 })])
 * const model = await TextEmbedding.create({ cache })
 */
export function tieredCache(tiers: readonly CacheTier[]): TieredCache {
  if (!Array.isArray(tiers) || tiers.length === 0) {
    throw invalidOption('tiers', 'non-empty array of cache tiers', tiers)
  }
  for (const [i, tier] of tiers.entries()) {
    if (!isTier(tier)) {
      throw invalidOption(`tiers[${i}]`, 'cache tier with name, getMany, setMany, flush and close', tier)
    }
  }
  if (new Set(tiers).size !== tiers.length) throw invalidOption('tiers', 'different tiers', tiers)
  return new GuardedTiers([...tiers])
}
