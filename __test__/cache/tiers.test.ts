/** Tiers behind the cache: what is kept where, and what a tier that fails costs. */

import { afterEach, describe, expect, it, vi } from 'vitest'
import { isIntact } from '../../src/cache/entry.js'
import { memory } from '../../src/cache/memory.js'
import { redis } from '../../src/cache/redis.js'
import { tieredCache } from '../../src/cache/tiered-cache.js'
import type { CacheEntry, TieredCache } from '../../src/options/cache.js'
import { vectorOf } from '../support/memory-job.js'
import { PATIENCE_MS } from '../support/patience.js'
import { BrokenTier, cachedStream, entryFor, keyOf } from './support.js'

const words = (count: number): string[] => Array.from({ length: count }, (_, i) => `t${i}`)

async function rowsOf(cache: TieredCache, texts: string[]) {
  const { stream, inner } = cachedStream(texts, { cache })
  const rows = (await stream.toArray()).map((row) => Array.from(row ?? []))
  expect(rows).toEqual(texts.map(vectorOf))
  return inner.texts
}

describe('an entry', () => {
  it('is intact for its own key only, and with every bit as it was', () => {
    const [key, entry] = entryFor('some text')
    expect(isIntact(key, entry)).toBe(true)
    expect(isIntact(keyOf('another text'), entry)).toBe(false)
    for (let at = 0; at < entry.length; at++) {
      const other = Uint8Array.from(entry)
      other[at] = (other[at] ?? 0) ^ 0x10
      expect(isIntact(key, other), `byte ${at}`).toBe(false)
    }
    for (const length of [0, 7, 31, entry.length - 1]) {
      expect(isIntact(key, entry.subarray(0, length))).toBe(false)
    }
  })
})

describe('memory', () => {
  it('drops what was used least recently, and stays under its bytes', () => {
    const entries: CacheEntry[] = words(20).map(entryFor)
    const cost = (entries[0]?.[1].byteLength ?? 0) + 384
    const tier = memory({ maxBytes: cost * 10 })
    void tier.setMany(entries.slice(0, 10))
    void tier.getMany([entries[0]?.[0] ?? ''])
    void tier.setMany(entries.slice(10, 19))
    expect(tier.bytes).toBe(cost * 10)
    const kept = tier.getMany(entries.map(([key]) => key)) as (Uint8Array | undefined)[]
    expect(kept.map((value) => value !== undefined)).toEqual(
      entries.map((_, i) => i === 0 || (i >= 10 && i < 19)),
    )
  })

  it('does not keep the buffer that a value is a view of', () => {
    const tier = memory({ maxBytes: 1e6 })
    const [key, value] = entryFor('a')
    const large = new Uint8Array(100_000)
    large.set(value, 500)
    void tier.setMany([[key, large.subarray(500, 500 + value.length)]])
    const [kept] = tier.getMany([key]) as Uint8Array[]
    expect(kept?.buffer.byteLength).toBe(value.length)
  })

  it('refuses options that make no sense', () => {
    for (const options of [undefined, {}, { maxBytes: 0 }, { maxBytes: '1' }, { maxBytes: 1, ttl: 1 }]) {
      expect(() => memory(options as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    }
  })
})

describe('a cache of tiers', () => {
  const caches: TieredCache[] = []
  const cacheOf = (...tiers: Parameters<typeof tieredCache>[0]) => {
    const cache = tieredCache(tiers)
    caches.push(cache)
    return cache
  }
  afterEach(async () => {
    await Promise.all(caches.splice(0).map((cache) => cache.close()))
  })

  it('gives earlier tiers what a later one had', async () => {
    const [first, later, last] = [memory({ maxBytes: 1e6 }), new BrokenTier(), new BrokenTier()]
    for (const text of words(10)) last.values.set(...entryFor(text))
    const cache = cacheOf(first, later, last)
    expect(await rowsOf(cache, words(12))).toEqual(['t10', 't11'])
    await cache.flush()
    expect(later.values.size).toBe(12)
    expect(last.values.size).toBe(12)
    const gets = later.gets
    expect(await rowsOf(cache, words(12))).toEqual([])
    expect(later.gets).toBe(gets)
    expect(cache.metrics().tiers.map(({ hits }) => hits)).toEqual([12, 0, 10])
  })

  it('asks and writes many keys at a time', async () => {
    const tier = new BrokenTier()
    const cache = cacheOf(tier)
    await rowsOf(cache, words(640))
    await cache.flush()
    expect(tier.gets).toBeLessThanOrEqual(200)
    expect(tier.values.size).toBe(640)
    const { gets } = tier
    await rowsOf(cache, words(640))
    expect(tier.gets - gets).toBeLessThanOrEqual(20)
  })

  for (const mode of ['throws', 'rejects', 'short'] as const) {
    it(`takes a tier that ${mode} for one without values`, async () => {
      const tier = new BrokenTier()
      tier.mode = mode
      const cache = cacheOf(memory({ maxBytes: 1e6 }), tier)
      expect(await rowsOf(cache, words(30))).toHaveLength(30)
      expect(cache.metrics().tiers[1]?.errors).toBeGreaterThan(0)
      expect(cache.metrics().tiers[1]).toMatchObject({ hits: 0, timeouts: 0 })
    })
  }

  it('waits for a tier that hangs once and not for each row', async () => {
    const tier = new BrokenTier()
    tier.mode = 'hangs'
    const cache = cacheOf(tier)
    expect(await rowsOf(cache, words(2000))).toHaveLength(2000)
    const { timeouts, errors, misses } = cache.metrics().tiers[0] ?? {}
    // The 2,000 rows are looked up in 32 slices. A wait for each would be 32 timeouts.
    expect(timeouts).toBeGreaterThanOrEqual(1)
    expect(timeouts).toBeLessThan(32)
    expect({ errors, misses }).toEqual({ errors: 0, misses: 2000 })
  })

  it('asks a tier again after a while', async () => {
    const tier = new BrokenTier()
    for (const text of words(4)) tier.values.set(...entryFor(text))
    const cache = cacheOf(tier)
    tier.mode = 'rejects'
    expect(await rowsOf(cache, words(4))).toHaveLength(4)
    tier.mode = 'well'
    expect(await rowsOf(cache, words(4))).toHaveLength(0) // what waits to be written answers
    // Only after its pause is the tier asked again, and then it is given the rows that waited.
    await vi.waitFor(() => expect(cache.metrics().tiers[0]).toMatchObject({ waiting: 0 }), PATIENCE_MS)
    expect(await rowsOf(cache, words(4))).toHaveLength(0)
  })

  for (const mode of ['flipped', 'wrong'] as const) {
    it(`computes again what is ${mode}, and says so`, async () => {
      const tier = new BrokenTier()
      for (const text of words(10)) tier.values.set(...entryFor(text))
      tier.mode = mode
      const cache = cacheOf(tier)
      expect(await rowsOf(cache, words(10))).toHaveLength(10)
      expect(cache.metrics().tiers[0]).toMatchObject({ corrupt: 10, misses: 10, hits: 0 })
    })
  }

  it('never lets a stream wait for writes', async () => {
    const tier = new BrokenTier()
    const cache = cacheOf(tier)
    await rowsOf(cache, ['warm up'])
    await cache.flush()
    let write = () => {}
    tier.writable = new Promise((resolve) => {
      write = () => resolve()
    })
    // The stream ends although the tier takes no write yet; had it waited, this line would never be passed.
    await rowsOf(cache, words(4))
    expect(tier.values.size).toBe(1)
    write()
    await cache.flush()
    expect(tier.values.size).toBe(5)
  })

  it('drops rows that wait when they become too many', async () => {
    const tier = new BrokenTier()
    tier.mode = 'hangs'
    const cache = cacheOf(tier)
    const [key, value] = entryFor('x')
    const large = new Uint8Array(1024 * 1024)
    large.set(value)
    for (let i = 0; i < 50; i++) cache.put([[key.replace(/^../, String(i).padStart(2, '0')), large]])
    const { dropped, waiting } = cache.metrics().tiers[0] ?? {}
    expect({ dropped, waiting }).toEqual({ dropped: 18, waiting: 32 })
  })

  it('closes its tiers once and then finds nothing', async () => {
    const tier = new BrokenTier()
    const cache = cacheOf(tier)
    await rowsOf(cache, words(3))
    await Promise.all([cache.close(), cache.close()])
    expect(tier.closed).toBe(1)
    expect(tier.values.size).toBe(3)
    expect(await rowsOf(cache, words(3))).toHaveLength(3)
  })

  it('is made of tiers', () => {
    const tier = memory({ maxBytes: 1 })
    for (const tiers of [undefined, [], [{}], [tier, tier], [{ name: 'x', getMany() {} }]]) {
      expect(() => tieredCache(tiers as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    }
    for (const client of [undefined, {}, 'localhost']) {
      expect(() => redis(client as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    }
  })
})
