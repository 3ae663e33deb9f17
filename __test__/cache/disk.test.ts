/** Rows in files: what survives a restart, a crash and other processes, and what goes when there are too many bytes. */

import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { disk } from '../../src/cache/disk/disk.js'
import { KeyTable } from '../../src/cache/disk/key-table.js'
import { Segment } from '../../src/cache/disk/segment.js'
import { entryOf } from '../../src/cache/entry.js'
import { tieredCache } from '../../src/cache/tiered-cache.js'
import type { CacheEntry, CacheTier } from '../../src/options/cache.js'
import { entryFor, keyOf } from './support.js'

let dir: string
const open: CacheTier[] = []

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'millrace-disk-'))
})

afterEach(async () => {
  await Promise.all(open.splice(0).map((tier) => tier.close()))
  await rm(dir, { recursive: true, force: true })
})

function tierOf(maxBytes = 1e8): CacheTier {
  const tier = disk(dir, { maxBytes })
  open.push(tier)
  return tier
}

async function closed(tier: CacheTier): Promise<void> {
  open.splice(open.indexOf(tier), 1)
  await tier.close()
}

it('tries a sync again that failed', async () => {
  const tier = tierOf()
  await tier.setMany(words(3).map(entryFor))
  const sync = vi.spyOn(Segment.prototype, 'sync')
  sync.mockRejectedValueOnce(Object.assign(new Error('no space left'), { code: 'ENOSPC' }))
  await expect(tier.flush()).rejects.toMatchObject({ code: 'ENOSPC' })
  await tier.flush()
  await tier.flush()
  // The failed one and its repetition; after that there is nothing to sync.
  expect(sync).toHaveBeenCalledTimes(2)
  sync.mockRestore()
})

const words = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `t${from + i}`)

/** An entry of some kilobytes. */
function large(text: string, dim = 1000): CacheEntry {
  const key = keyOf(text)
  const data = new Float32Array(dim).fill(text.length)
  const facts = { offset: 0, length: 1, dim, dtype: 'float32' as const, data, errors: [] }
  return [key, entryOf(key, { ...facts, tokens: Uint32Array.of(1), truncated: Uint8Array.of(0) }, 0)]
}

async function thereOf(tier: CacheTier, entries: readonly CacheEntry[]): Promise<boolean[]> {
  const values = await tier.getMany(entries.map(([key]) => key))
  return values.map(
    (value, i) => value !== undefined && Buffer.compare(value, entries[i]?.[1] as Uint8Array) === 0,
  )
}

const logs = async () => (await readdir(dir)).filter((name) => name.endsWith('.log')).sort()

describe('disk', () => {
  it('has what was written before a restart, and nothing else', async () => {
    const entries = words(100).map(entryFor)
    const first = tierOf()
    await first.setMany(entries.slice(0, 50))
    await first.setMany(entries.slice(50, 90))
    await first.flush()
    await closed(first)
    const second = tierOf()
    expect(await thereOf(second, entries)).toEqual(entries.map((_, i) => i < 90))
    await second.setMany(entries) // writes the ten that are missing
    expect((await stat(join(dir, 'rows-1-0000000001.log'))).size).toBe(second.bytes)
    expect(await thereOf(second, entries)).toEqual(entries.map(() => true))
  })

  it('goes on after a write that a crash cut off, wherever it was cut', async () => {
    const [kept, cut, later] = [words(5), words(1, 5), words(5, 6)].map((texts) => texts.map(entryFor))
    const first = tierOf()
    await first.setMany(kept ?? [])
    const before = first.bytes ?? 0
    await first.setMany(cut ?? [])
    const after = first.bytes ?? 0
    await closed(first)
    const log = join(dir, 'rows-1-0000000001.log')
    const whole = await readFile(log)
    for (let end = before + 1; end < after; end += 7) {
      await writeFile(log, whole.subarray(0, end))
      const tier = tierOf()
      await tier.setMany(later ?? [])
      const all = [...(kept ?? []), ...(cut ?? []), ...(later ?? [])]
      const reopened = () => {
        const again = tierOf()
        return thereOf(again, all).finally(() => closed(again))
      }
      for (const there of [await thereOf(tier, all), await closed(tier).then(reopened)]) {
        expect(there.slice(0, 6), `cut at ${end}`).toEqual([true, true, true, true, true, false])
        // The row that follows may lie where the cut one would have ended; no other is lost.
        expect(there.slice(7), `cut at ${end}`).toEqual([true, true, true, true])
      }
    }
  })

  it('survives rubbish between its records', async () => {
    const entries = words(20).map(entryFor)
    const first = tierOf()
    await first.setMany(entries.slice(0, 10))
    await closed(first)
    await appendFile(
      join(dir, 'rows-1-0000000001.log'),
      Buffer.concat([Buffer.from('MRL1 no record'), Buffer.alloc(999, 'MRL')]),
    )
    const second = tierOf()
    await second.setMany(entries.slice(10))
    await closed(second)
    expect(await thereOf(tierOf(), entries)).toEqual(entries.map(() => true))
  })

  it('counts a flipped bit as corrupt, and writes the row anew', async () => {
    const entry = entryFor('a text')
    const first = tierOf()
    await first.setMany([entry])
    await closed(first)
    const log = join(dir, 'rows-1-0000000001.log')
    const bytes = await readFile(log)
    bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1
    await writeFile(log, bytes)
    const cache = tieredCache([tierOf()])
    expect(await cache.find([entry[0]])).toEqual([undefined])
    expect(cache.metrics().tiers[0]).toMatchObject({ corrupt: 1, misses: 1 })
    cache.put([entry])
    await cache.flush()
    expect((await cache.find([entry[0]]))[0]).toEqual(Buffer.from(entry[1]))
  })

  it('stays under its bytes, drops the oldest, and keeps what is used', async () => {
    const maxBytes = 2_000_000
    const tier = tierOf(maxBytes)
    const used = words(20).map((text) => large(text))
    await tier.setMany(used)
    for (let round = 0; round < 60; round++) {
      await tier.setMany(words(25, 1000 + round * 25).map((text) => large(text)))
      await tier.getMany(used.map(([key]) => key))
      expect(tier.bytes).toBeLessThanOrEqual(maxBytes)
    }
    expect(await thereOf(tier, used)).toEqual(used.map(() => true))
    expect(
      await thereOf(
        tier,
        words(25, 1000).map((text) => large(text)),
      ),
    ).toEqual(new Array(25).fill(false))
    expect(
      await thereOf(
        tier,
        words(25, 1000 + 59 * 25).map((text) => large(text)),
      ),
    ).toEqual(new Array(25).fill(true))
    const names = await readdir(dir)
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(dir, name))).size))
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(maxBytes * 1.1)
    await closed(tier)
    expect(await thereOf(tierOf(maxBytes), used)).toEqual(used.map(() => true))
  })

  it('writes down where rows of full logs lie, and does without', async () => {
    const entries = words(100).map((text) => large(text))
    const first = tierOf(3_000_000)
    for (let at = 0; at < 100; at += 10) await first.setMany(entries.slice(at, at + 10))
    await closed(first)
    const indexes = (await readdir(dir)).filter((name) => name.endsWith('.index'))
    expect(indexes.length).toBe((await logs()).length - 1)
    for (const spoil of [false, true]) {
      for (const name of spoil ? indexes : []) await truncate(join(dir, name), 100)
      const tier = tierOf(3_000_000)
      expect(await thereOf(tier, entries)).toEqual(entries.map(() => true))
      await closed(tier)
    }
  })

  it('sees what another instance wrote, and outlives its deletions', async () => {
    const [one, other] = [tierOf(), tierOf()]
    const entries = words(10).map(entryFor)
    await one.getMany([entries[0]?.[0] ?? ''])
    await other.setMany(entries.slice(0, 5))
    await one.setMany(entries.slice(5))
    await expect.poll(() => thereOf(one, entries), { timeout: 60_000 }).toEqual(entries.map(() => true))
    for (const name of await readdir(dir)) await rm(join(dir, name))
    await new Promise((resolve) => setTimeout(resolve, 1100))
    expect(await thereOf(one, entries)).toEqual(entries.map(() => false))
    await one.setMany(entries)
    expect(await thereOf(one, entries)).toEqual(entries.map(() => true))
  })

  it('is an error of its own where the directory cannot be', async () => {
    await writeFile(join(dir, 'file'), '')
    const cache = tieredCache([disk(join(dir, 'file', 'below'), { maxBytes: 1e6 })])
    expect(await cache.find([keyOf('a')])).toEqual([undefined])
    expect(cache.metrics().tiers[0]).toMatchObject({ errors: 1, misses: 1 })
    await cache.close()
  })

  it('refuses options that make no sense', () => {
    for (const args of [
      [],
      ['x'],
      ['', { maxBytes: 1 }],
      ['x', { maxBytes: -1 }],
      ['x', { maxBytes: 1, ttl: 1 }],
    ]) {
      expect(() => disk(...(args as [string, { maxBytes: number }]))).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION' }),
      )
    }
  })
})

describe('the table of a log', () => {
  it('finds the last of each key, and is the same from a file', () => {
    const table = new KeyTable()
    const places = new Map<number, number>()
    for (let i = 0; i < 10_000; i++) {
      const low = (i * 2_654_435_761) % 7000
      table.set({ high: low ^ 77, low, offset: i * 64, length: 60 })
      places.set(low, i * 64)
    }
    table.delete(77 ^ 5, 5)
    places.delete(5)
    const loaded = KeyTable.load(table.save(1234))
    expect(loaded?.end).toBe(1234)
    for (const one of [table, loaded?.table]) {
      for (let low = 0; low < 7100; low++) expect(one?.get(low ^ 77, low)?.offset).toBe(places.get(low))
    }
    const bytes = table.save(1)
    bytes[40] = (bytes[40] ?? 0) ^ 1
    expect(KeyTable.load(bytes)).toBeUndefined()
    expect(KeyTable.load(Buffer.alloc(3))).toBeUndefined()
  })
})
