/** What a stream promises, with a cache before the job: identity, order, errors, back-pressure, end. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MillraceError } from '../../src/base/errors.js'
import type { CachedJob } from '../../src/cache/cached-job.js'
import { Flights } from '../../src/cache/flights.js'
import { memory } from '../../src/cache/memory.js'
import { tieredCache } from '../../src/cache/tiered-cache.js'
import { vectorOf } from '../support/memory-job.js'
import { streamOver } from '../support/stream.js'
import { BrokenTier, type CachedOptions, cachedJob, cachedStream, entryFor } from './support.js'

const inMemory = () => tieredCache([memory({ maxBytes: 1e6 })])

interface Shown {
  offset: number
  rows: { at: number; row: number[] | string; tokens: number }[]
}

/** Everything that a reader sees, and the error that it ends with. */
async function shown(
  stream: AsyncIterable<{
    offset: number
    length: number
    tokens: Uint32Array
    errors: ReadonlyMap<number, MillraceError>
    indexOf(i: number): number
    row(i: number): ArrayLike<number>
  }>,
): Promise<{ batches: Shown[]; error?: string }> {
  const batches: Shown[] = []
  try {
    for await (const batch of stream) {
      const rows = Array.from({ length: batch.length }, (_, i) => {
        const at = batch.indexOf(i)
        const error = batch.errors.get(at)
        const row = error === undefined ? Array.from(batch.row(i)) : `${error.code} ${error.index}`
        return { at, row, tokens: error === undefined ? (batch.tokens[i] ?? -1) : 0 }
      })
      batches.push({ offset: batch.offset, rows })
    }
    return { batches }
  } catch (error) {
    const { code, index } = error as MillraceError
    return { batches, error: `${code} ${index}` }
  }
}

const word = fc
  .tuple(fc.constantFrom('', '!'), fc.integer({ min: 0, max: 30 }))
  .map(([bang, n]) => `${bang}t${n}`)

describe('a stream with a cache', () => {
  it('shows what one without shows, whatever is in which tier', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { maxLength: 60 }),
        fc.subarray(Array.from({ length: 31 }, (_, n) => `t${n}`)),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom('throw', 'collect'),
        fc.constantFrom('memory', 'later', 'both'),
        async (source, kept, batchSize, errors, where) => {
          const slow = new BrokenTier()
          const quick = memory({ maxBytes: 1e6 })
          for (const [i, text] of kept.entries()) {
            if (where === 'memory' || (where === 'both' && i % 2 === 0)) void quick.setMany([entryFor(text)])
            else slow.values.set(...entryFor(text))
          }
          const cache = tieredCache(where === 'memory' ? [quick] : where === 'later' ? [slow] : [quick, slow])
          // As the native window, two batches and more.
          const options = { batchSize, errors, window: 20 } as const
          const { stream } = cachedStream(source, { ...options, cache })
          const plain = streamOver(source, options).stream
          const [withCache, without] = [await shown(stream), await shown(plain)]
          expect(withCache).toEqual(without)
          // Again, with everything there.
          const again = await shown(cachedStream(source, { ...options, cache }).stream)
          expect(again).toEqual(without)
        },
      ),
      { numRuns: 150, timeout: 60_000 },
    )
  })

  it('gives each row once and with its place when rows come as completed', async () => {
    const cache = inMemory()
    for (let i = 0; i < 100; i += 3) cache.put([entryFor(`t${i % 40}`)])
    const source = Array.from({ length: 100 }, (_, i) => `t${i % 40}`)
    const options: CachedOptions = { cache, order: 'completion', batchSize: 7 }
    const { batches } = await shown(cachedStream(source, options).stream)
    const rows = batches.flatMap((batch) => batch.rows).sort((a, b) => a.at - b.at)
    expect(rows.map(({ at }) => at)).toEqual(source.map((_, i) => i))
    expect(rows.map(({ row }) => row)).toEqual(source.map((text) => vectorOf(text)))
    expect(batches.slice(0, -1).every((batch) => batch.rows.length === 7)).toBe(true)
  })

  it('embeds equal texts of a call once, and none the next time', async () => {
    const cache = inMemory()
    const source = Array.from({ length: 50 }, (_, i) => `t${i % 5}`)
    const first = cachedStream(source, { cache })
    expect((await first.stream.toArray()).map((row) => Array.from(row ?? []))).toEqual(source.map(vectorOf))
    expect(first.inner.texts).toEqual(['t0', 't1', 't2', 't3', 't4'])
    const second = cachedStream(source, { cache })
    await second.stream.toArray()
    expect(second.inner.texts).toEqual([])
    const { hits, misses, shared } = cache.metrics()
    expect({ misses, others: hits + shared }).toEqual({ misses: 5, others: 95 })
  })

  it('never keeps an error, and tries a failed text again', async () => {
    const cache = inMemory()
    const options: CachedOptions = { cache, errors: 'collect' }
    for (let round = 0; round < 2; round++) {
      const { stream, inner } = cachedStream(['a', '!b', '!b', 'c'], options)
      const { batches } = await shown(stream)
      const rows = batches.flatMap((batch) => batch.rows.map(({ row }) => row))
      expect(rows).toEqual([vectorOf('a'), 'INFERENCE_FAILED 1', 'INFERENCE_FAILED 2', vectorOf('c')])
      expect(inner.texts).toEqual(round === 0 ? ['a', '!b', 'c'] : ['!b'])
    }
  })

  it('holds no more than its window for a reader that stops', async () => {
    const cache = inMemory()
    for (let i = 0; i < 2000; i++) cache.put([entryFor(`t${i}`)])
    let read = 0
    function* endless() {
      for (;;) yield `t${read++ % 2000}`
    }
    const { stream } = cachedStream(endless(), { cache, batchSize: 4 })
    const batches = stream[Symbol.asyncIterator]()
    await batches.next()
    await expect.poll(() => read, { timeout: 60_000 }).toBe(4096 + 4)
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(read).toBe(4096 + 4)
    await batches.return?.()
  })

  it('does not read far ahead of texts that must be embedded', async () => {
    let read = 0
    function* long() {
      for (;;) yield `${read++} ${'x'.repeat(100_000)}`
    }
    const { stream, inner } = cachedStream(long(), { cache: inMemory(), stuck: true })
    const reading = stream.toArray().catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 80))
    // The job's window, then a megabyte and the slice that passed it.
    expect(read).toBeLessThan(8 + 11 + 4)
    expect(inner.mostHeld).toBe(8)
    void reading
  })

  it('says when nothing more can be done without its reader', async () => {
    const { job, inner } = cachedJob({ cache: inMemory() })
    job.push(Array.from({ length: 50 }, (_, i) => `t${i}`))
    await expect.poll(() => inner.progress().done).toBe(8)
    // Else whoever feeds the job would look for room for ever.
    expect(job.progress()).toMatchObject({ submitted: 8, done: 8 })
    job.cancel()
  })

  it('counts all rows in its progress', async () => {
    const cache = inMemory()
    for (let i = 0; i < 10; i++) cache.put([entryFor(`t${i}`)])
    const seen: number[] = []
    const source = Array.from({ length: 30 }, (_, i) => `t${i}`)
    const { stream, job } = cachedStream(source, { cache }, { onProgress: ({ done }) => seen.push(done) })
    await stream.toArray()
    expect(seen.at(-1)).toBe(30)
    // The job in memory counts three tokens a text; kept rows know theirs.
    expect(job.progress()).toMatchObject({ submitted: 30, done: 30, tokens: 20 * 3 + 10 * 4 })
  })

  it('ends its job when the reader leaves, on abort and at the end', async () => {
    for (const how of ['leave', 'abort', 'end'] as const) {
      const abort = new AbortController()
      const source = Array.from({ length: how === 'end' ? 9 : 500 }, (_, i) => `t${i}`)
      const { stream, inner } = cachedStream(source, { cache: inMemory() }, { signal: abort.signal })
      const reading = (async () => {
        for await (const _ of stream) {
          if (how === 'leave') break
          if (how === 'abort') abort.abort('enough')
        }
      })()
      if (how === 'abort') await expect(reading).rejects.toBe('enough')
      else await reading
      expect(inner.cancelled).toBe(1)
    }
  })
})

describe('equal texts of concurrent calls', () => {
  const flights = () => new Flights<CachedJob>()

  it('are embedded once', async () => {
    const shared = { cache: inMemory(), flights: flights() }
    const source = Array.from({ length: 40 }, (_, i) => `t${i}`)
    const calls = Array.from({ length: 5 }, () => cachedStream(source, shared))
    const results = await Promise.all(calls.map(({ stream }) => stream.toArray()))
    for (const rows of results) expect(rows.map((row) => Array.from(row ?? []))).toEqual(source.map(vectorOf))
    expect(calls.reduce((sum, { inner }) => sum + inner.texts.length, 0)).toBe(40)
  })

  it('are embedded once though a tier answers late', async () => {
    const tier = new BrokenTier()
    tier.delayMs = 5
    const shared = { cache: tieredCache([tier]), flights: flights() }
    const source = Array.from({ length: 20 }, (_, i) => `t${i}`)
    const calls = Array.from({ length: 4 }, () => cachedStream(source, shared))
    await Promise.all(calls.map(({ stream }) => stream.toArray()))
    expect(calls.reduce((sum, { inner }) => sum + inner.texts.length, 0)).toBe(20)
  })

  it('do not wait for a call whose reader stopped', async () => {
    const shared = { cache: inMemory(), flights: flights() }
    const source = Array.from({ length: 40 }, (_, i) => `t${i}`)
    const idle = cachedStream(source, shared).stream[Symbol.asyncIterator]()
    await idle.next() // now its window is full of texts that it leads
    const rows = await cachedStream([...source].reverse(), shared).stream.toArray()
    expect(rows).toHaveLength(40)
    await idle.return?.()
  })

  it('are handed over when the call that embeds them is cancelled', async () => {
    const shared = { cache: inMemory(), flights: flights() }
    const source = Array.from({ length: 8 }, (_, i) => `t${i}`)
    const stuck = cachedJob({ ...shared, stuck: true })
    stuck.job.push(source)
    expect(stuck.inner.texts).toEqual(source)
    const others = [1, 2].map(() => cachedStream(source, shared))
    const reading = others.map(({ stream }) => stream.toArray())
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(others.flatMap(({ inner }) => inner.texts)).toEqual([])
    stuck.job.cancel()
    for (const rows of await Promise.all(reading)) expect(rows).toHaveLength(8)
    expect(others.reduce((sum, { inner }) => sum + inner.texts.length, 0)).toBe(8)
  })

  it('are tried again where they failed', async () => {
    const shared = { cache: inMemory(), flights: flights(), errors: 'collect' as const }
    const calls = [1, 2].map(() => cachedStream(['a', '!b'], shared))
    const results = await Promise.all(calls.map(({ stream }) => shown(stream)))
    for (const { batches } of results) {
      expect(batches.flatMap((batch) => batch.rows.map(({ row }) => row))).toEqual([
        vectorOf('a'),
        'INFERENCE_FAILED 1',
      ])
    }
  })

  it('do not wait for less urgent work', async () => {
    const shared = { cache: inMemory(), flights: flights() }
    const bulk = cachedJob({ ...shared, stuck: true })
    bulk.job.push(['what is it?'])
    const query = cachedStream('what is it?', { ...shared, priority: 10 })
    expect(await query.stream.toArray()).toHaveLength(1)
    expect(query.inner.texts).toEqual(['what is it?'])
    bulk.job.cancel()
  })

  it('keep their places while calls of any kind come, stop and go', async () => {
    const call = fc.record({
      source: fc.array(word, { minLength: 1, maxLength: 80 }),
      batchSize: fc.integer({ min: 1, max: 12 }),
      priority: fc.constantFrom(0, 0, 10),
      order: fc.constantFrom('input', 'input', 'completion'),
      /** Leaves after so many batches. */
      leaves: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      /** Reads slowly. */
      slow: fc.boolean(),
      startsAfterMs: fc.integer({ min: 0, max: 4 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 2, maxLength: 6 }), fc.boolean(), async (calls, late) => {
        const tier = new BrokenTier()
        tier.delayMs = 1
        const shared = {
          cache: tieredCache(late ? [tier] : [memory({ maxBytes: 5000 })]),
          flights: flights(),
        }
        const running = calls.map(async ({ source, leaves, slow, startsAfterMs, ...options }) => {
          await new Promise((resolve) => setTimeout(resolve, startsAfterMs))
          const { stream } = cachedStream(source, { ...shared, ...options, window: 26, errors: 'collect' })
          let batches = 0
          const seen = new Set<number>()
          for await (const batch of stream) {
            for (let i = 0; i < batch.length; i++) {
              const at = batch.indexOf(i)
              const text = source[at] ?? ''
              expect(seen.has(at)).toBe(false)
              seen.add(at)
              if (text.startsWith('!')) expect(batch.errors.get(at)).toMatchObject({ index: at })
              else expect(Array.from(batch.row(i) ?? [])).toEqual(vectorOf(text))
            }
            if (++batches === leaves) return
            if (slow) await new Promise((resolve) => setTimeout(resolve, 1))
          }
          expect(seen.size).toBe(source.length)
        })
        await Promise.all(running)
      }),
      { numRuns: 60, timeout: 60_000 },
    )
  })

  it('do not wait for a call that was collected with its keys', async () => {
    const shared = flights()
    shared.set('key', { deref: () => undefined } as unknown as WeakRef<CachedJob>)
    expect(shared.find('key')).toBeUndefined()
  })
})
