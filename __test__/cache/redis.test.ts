/** Rows in a real Redis, with both common clients: what is kept, and what its crash, absence and slowness cost. */

import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { createClient as createClient4 } from 'redis-4'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RedisClient, type RedisOptions, redis, SparseTextEmbedding, tieredCache } from '../../index.js'
import { hasRedisServer, RedisServer } from './redis-server.js'

const missing = !hasRedisServer()
if (missing && process.env['CI'] === undefined) {
  process.stderr.write(
    'The tests of Redis are skipped: redis-server is not installed (apt-get install redis-server)\n',
  )
}

interface Connected {
  client: RedisClient
  end(): Promise<void> | void
  command(...args: string[]): Promise<unknown>
}

type Connect = (port: number) => Promise<Connected>

const CLIENTS: Record<string, Connect> = {
  async ioredis(port) {
    const client = new Redis(port, '127.0.0.1', { retryStrategy: () => 50 })
    client.on('error', () => {}) // it connects again by itself
    await client.ping()
    return {
      client,
      end: () => client.disconnect(),
      command: (name = '', ...args) => client.call(name, ...args),
    }
  },
  async 'node-redis'(port) {
    const client = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: 50 } })
    client.on('error', () => {})
    await client.connect()
    return { client, end: () => client.destroy(), command: (...args) => client.sendCommand(args) }
  },
  async 'node-redis 4'(port) {
    const client = createClient4({ socket: { host: '127.0.0.1', port, reconnectStrategy: 50 } })
    client.on('error', () => {})
    await client.connect()
    return { client, end: () => client.disconnect(), command: (...args) => client.sendCommand(args) }
  },
}

const texts = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `a text about ${from + i} mills`)

/** BM25 is quick: what takes time here is Redis. */
const modelWith = (client: RedisClient, options?: RedisOptions) =>
  SparseTextEmbedding.create({ model: 'Qdrant/bm25', cache: tieredCache([redis(client, options)]) })

const tierOf = (model: SparseTextEmbedding) => model.metrics().cache?.tiers[0]

it.runIf(missing && process.env['CI'] !== undefined)(
  'Redis is installed where everything must be tested',
  () => {
    expect.fail('redis-server is not installed: apt-get install redis-server')
  },
)

describe.skipIf(missing).each(Object.entries(CLIENTS))('redis with %s', (_, connect) => {
  let server: RedisServer
  let connected: Connected

  beforeAll(async () => {
    server = await RedisServer.start()
    return () => server.kill()
  })
  beforeEach(async () => {
    connected = await connect(server.port)
    await connected.command('FLUSHALL')
  })
  afterEach(async () => {
    await connected.end()
  })

  it('keeps rows for another model of the same files', async () => {
    const source = texts(1500)
    const first = await modelWith(connected.client)
    const plain = await first.embed(source, { cache: false }).toMatrix()
    await first.embed(source).toArray()
    await first.close()
    expect(tierOf(first)).toMatchObject({ waiting: 0, dropped: 0, misses: 1500, errors: 0, timeouts: 0 })
    expect(await connected.command('DBSIZE')).toBe(1500)
    await using second = await modelWith(connected.client)
    const { values, indices, rowOffsets } = await second.embed(source).toMatrix()
    expect({ values, indices, rowOffsets }).toEqual({
      values: plain.values,
      indices: plain.indices,
      rowOffsets: plain.rowOffsets,
    })
    expect(tierOf(second)).toMatchObject({ hits: 1500, misses: 0, corrupt: 0 })
    expect(second.metrics().inputs).toBe(0)
  })

  it('writes under its prefix and lets values go after their time', async () => {
    const model = await modelWith(connected.client, { prefix: 'rows:', ttl: 100 })
    await model.embed(texts(3)).toArray()
    await model.close()
    const keys = (await connected.command('KEYS', '*')) as string[]
    expect(keys).toHaveLength(3)
    for (const key of keys) {
      expect(String(key)).toMatch(/^rows:[0-9a-f]{64}$/)
      const left = await connected.command('TTL', String(key))
      expect(left).toBeGreaterThan(90)
      expect(left).toBeLessThanOrEqual(100)
    }
  })

  it('computes again what is corrupt or of another kind there', async () => {
    const first = await modelWith(connected.client)
    await first.embed(texts(4)).toArray()
    await first.close()
    const [one, other, third] = (await connected.command('KEYS', '*')) as string[]
    await connected.command('SET', String(one), 'rubbish')
    await connected.command('APPEND', String(other), 'x')
    await connected.command('DEL', String(third))
    await connected.command('LPUSH', String(third), 'a list') // MGET takes it for nothing
    await using second = await modelWith(connected.client)
    expect(await second.embed(texts(4)).toArray()).toEqual(
      await second.embed(texts(4), { cache: false }).toArray(),
    )
    expect(tierOf(second)).toMatchObject({ hits: 1, misses: 3, corrupt: 2 })
  })

  it('goes on while Redis crashes and comes back', async () => {
    await using model = await modelWith(connected.client, { timeoutMs: 100 })
    let read = 0
    function* source() {
      for (; read < 30_000; read++) yield `text number ${read}`
    }
    let rows = 0
    for await (const batch of model.embed(source())) {
      if (rows < 5000 && rows + batch.length >= 5000) await server.kill()
      rows += batch.length
    }
    expect(rows).toBe(30_000)
    const { errors = 0, timeouts = 0 } = tierOf(model) ?? {}
    expect(errors + timeouts).toBeGreaterThan(0)
    await server.restart()
    // Within the pause after the last failure it is not asked.
    await expect
      .poll(
        async () => {
          const { hits = 0 } = tierOf(model) ?? {}
          await model.embed(texts(5)).toArray()
          return (tierOf(model)?.hits ?? 0) - hits
        },
        { timeout: 100_000, interval: 200 },
      )
      .toBe(5)
    await expect
      .poll(async () => Number(await connected.command('DBSIZE')), { timeout: 100_000 })
      .toBeGreaterThan(0)
  })

  it('does not wait for a Redis that is slow', async () => {
    await using model = await modelWith(connected.client, { timeoutMs: 60 })
    await connected.command('CLIENT', 'PAUSE', '3000')
    const started = performance.now()
    expect(await model.embed(texts(2000)).toArray()).toHaveLength(2000)
    expect(performance.now() - started).toBeLessThan(2000)
    const { timeouts = 0, errors } = tierOf(model) ?? {}
    expect(timeouts).toBeGreaterThan(0)
    expect(errors).toBe(0)
    // Closing writes what waits: to a Redis that does not answer only for its time limit.
    const closing = performance.now()
    await model.close()
    expect(performance.now() - closing).toBeLessThan(1500)
    await connected.end()
    await server.kill()
    await server.restart()
    connected = await connect(server.port)
  })
})
