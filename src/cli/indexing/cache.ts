/** The cache of `millrace index --cache`: opened from what the flag says, and ended without waiting for a server that does not answer. */

import { disk, memory, redis, type TieredCache, tieredCache } from '../../../index.js'
import { importPeer } from '../../peers/peer.js'
import { say } from '../terminal.js'
import type { IndexFlags } from './flags.js'

/** Bytes of a cache in memory, and of one in files, unless told otherwise. */
const MEMORY_BYTES = 256 * 1024 * 1024
const DISK_BYTES = 8 * 1024 * 1024 * 1024

/** Longest time to connect to Redis: what takes longer is away, and rows are then computed. */
const CONNECT_MS = 2000

/** Longest time that the last values may take on their way to Redis when all else is done. */
const LAST_WRITES_MS = 2000

/** An open cache. */
export interface OpenCache {
  cache: TieredCache
  /** Writes what waits and lets go; takes a bounded time, whatever the server does. */
  end(): Promise<void>
}

/** What is used of a client of the package ioredis. */
type RedisClient = Parameters<typeof redis>[0] & {
  disconnect(): void
  on(event: 'error' | 'end' | 'ready', listener: (error?: Error) => void): void
}

/** `memory`, an address of Redis, or a folder, with memory before the last two. */
export async function openCache({ cache: where, cacheBytes }: IndexFlags): Promise<OpenCache | undefined> {
  if (where === undefined) return undefined
  const kept = memory({ maxBytes: where === 'memory' ? (cacheBytes ?? MEMORY_BYTES) : MEMORY_BYTES })
  if (/^rediss?:\/\//i.test(where)) return openRedis(where, kept)
  const tiers = where === 'memory' ? [kept] : [kept, disk(where, { maxBytes: cacheBytes ?? DISK_BYTES })]
  const cache = tieredCache(tiers)
  return { cache, end: () => cache.close() }
}

async function openRedis(address: string, kept: ReturnType<typeof memory>): Promise<OpenCache> {
  const { Redis } = await importPeer<{ Redis: new (url: string, options: object) => RedisClient }>(
    'ioredis',
    '5',
    '--cache redis://',
  )
  const client = new Redis(address, {
    connectTimeout: CONNECT_MS,
    // A command to a server that is away fails at once. In ioredis' queue it would wait for the server, and the end of this program with it.
    maxRetriesPerRequest: 0,
  })
  let isTold = false
  const tell = (why: string) => {
    if (!isTold) say(`millrace: the cache in Redis cannot be used (${why}); vectors are computed instead`)
    isTold = true
  }
  client.on('error', (error) => tell(error?.message || 'it does not answer'))
  const cache = tieredCache([kept, redis(client)])
  const end = async () => {
    // A server that accepts connections and is silent raises no error.
    const tier = cache.metrics().tiers.find(({ name }) => name === 'redis')
    if (tier !== undefined && tier.timeouts + tier.errors > 0) tell('it does not answer')
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_WRITES_MS)
    })
    await Promise.race([cache.close(), late])
    clearTimeout(timer)
    // Not `quit`, which waits for an answer.
    client.disconnect()
  }
  return { cache, end }
}
