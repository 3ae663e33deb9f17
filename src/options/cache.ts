/**
 * What a cache of rows is to those who use it and to those who write a tier of their own. What the bytes mean is in
 * `cache/entry.ts`; how tiers are put together, in `cache/tiered-cache.ts`.
 */

/** A key and its value. */
export type CacheEntry = readonly [key: string, value: Uint8Array]

/** Values in the order of their keys; `undefined` for what is not there. */
export type CacheAnswer = (Uint8Array | undefined)[]

/**
 * A place that keeps bytes under keys and may forget them at any time. Keys are 64 lower-case hexadecimal digits;
 * values are typed and checksummed rows, a few hundred bytes to some hundred kilobytes each.
 *
 * Nothing it does can break a call: what it throws or rejects with, what takes longer than `timeoutMs` and a value that is
 * not what was written are counted and taken for a miss, and after a failure it is left alone for a while.
 *
 * @example
 * class MapTier implements CacheTier {
 *   readonly name = 'map'
 *   readonly #map = new Map<string, Uint8Array>()
 *   async getMany(keys) { return keys.map((key) => this.#map.get(key)) }
 *   async setMany(entries) { for (const [key, value] of entries) this.#map.set(key, value) }
 *   async flush() {}
 *   async close() {}
 * }
 */
export interface CacheTier {
  /** What the metrics call it. */
  readonly name: string
  /** Longest time of one `getMany`, `setMany` or `flush` in milliseconds. @default 2000 */
  readonly timeoutMs?: number
  /** Whether `getMany` and `setMany` answer at once instead of with a promise; asked and written without delay then. */
  readonly immediate?: boolean
  /** Bytes it holds now, where it knows. */
  readonly bytes?: number
  /** The values of `keys`, at their places. It may give views of a larger buffer; nobody writes to them. */
  getMany(keys: readonly string[]): CacheAnswer | Promise<CacheAnswer>
  /** Keeps values, in place of older ones. The bytes must not be changed. */
  setMany(entries: readonly CacheEntry[]): void | Promise<void>
  /** Resolves when what was set is where it shall stay. */
  flush(): void | Promise<void>
  /** Frees what it holds. Not called twice, and nothing is called after it. */
  close(): void | Promise<void>
}

/** Counters of one tier since the cache was made. */
export interface CacheTierMetrics {
  name: string
  /** Values it gave. */
  hits: number
  /** Keys it had no value for, those included that it was not asked for after a failure. */
  misses: number
  /** Calls that threw or rejected, and answers that were none. */
  errors: number
  /** Calls that took longer than the tier's `timeoutMs`. */
  timeouts: number
  /** Values that were not what was written. Each is a miss too. */
  corrupt: number
  /** Bytes of the values it gave. */
  bytesRead: number
  /** Bytes of the values it took. */
  bytesWritten: number
  /** Values that were not written, because too many waited or the tier failed. */
  dropped: number
  /** Values that wait to be written. */
  waiting: number
  /** Bytes it holds now, where it knows. */
  bytes?: number
}

/** Counters of a cache since it was made, whichever models use it. */
export interface CacheMetrics {
  /** Inputs whose row was there. */
  hits: number
  /** Inputs whose row was not. */
  misses: number
  /** Inputs that waited for the row of an equal input that was on its way, of the same call or another. */
  shared: number
  /** The tiers in their order. */
  tiers: CacheTierMetrics[]
}

/**
 * Keeps rows, so that equal inputs are embedded once. Made by `tieredCache`; give it to `create` or to a call as
 * `cache`. Several models and calls may share one: a row is found only by what it depends on.
 */
export interface TieredCache extends AsyncDisposable {
  /** Counters since the cache was made. */
  metrics(): CacheMetrics
  /** Resolves when all rows so far are where they shall stay. Closing a model does that too. */
  flush(): Promise<void>
  /** Writes what waits and frees what the tiers hold; later look-ups find nothing. May be called again. */
  close(): Promise<void>
  /** @internal Whether there is a tier that must be waited for. */
  readonly waits: boolean
  /** @internal What the tiers that answer at once have. */
  now(keys: readonly string[]): CacheAnswer
  /** @internal What the other tiers have. Never rejects. */
  later(keys: readonly string[]): Promise<CacheAnswer>
  /** @internal What any tier has. Never rejects. */
  find(keys: readonly string[]): Promise<CacheAnswer>
  /** @internal Keeps rows in all tiers, without delay. */
  put(entries: readonly CacheEntry[]): void
  /** @internal Adds to the counters. */
  count(what: 'hits' | 'misses' | 'shared', inputs: number): void
}
