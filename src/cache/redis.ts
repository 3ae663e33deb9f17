/**
 * A tier in Redis (or Valkey, KeyDB, Dragonfly), over the caller's own client: nothing is connected or closed here. Both common
 * clients are known by their methods, so that neither is a dependency.
 */

import { invalidOption } from '../base/errors.js'
import { isRecord } from '../base/is.js'
import type { CacheAnswer, CacheEntry, CacheTier } from '../options/cache.js'
import { type Checks, parseOptions, positiveInteger, string } from '../options/check.js'

/** What is used of a client of the package `ioredis`. */
export interface IoRedisClient {
  callBuffer(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>
}

/** What is used of a client of the package `redis` (node-redis 4 and 5). */
export interface NodeRedisClient {
  // biome-ignore lint/suspicious/noExplicitAny: the two versions type their arguments and options differently
  sendCommand(args: any, options?: any): Promise<unknown>
  readonly isReady?: boolean
}

/** A connected client of `ioredis` or `redis`. */
export type RedisClient = IoRedisClient | NodeRedisClient

/** Options of {@link redis}. */
export interface RedisOptions {
  /** Seconds after which a value is gone. @default none: Redis' own `maxmemory-policy` decides */
  ttl?: number | undefined
  /** Written before each key. @default 'millrace:' */
  prefix?: string | undefined
  /** Longest time of one round trip in milliseconds; a slower one counts as misses. @default 250 */
  timeoutMs?: number | undefined
}

const CHECKS: Checks<RedisOptions> = {
  ttl: positiveInteger,
  prefix: string,
  timeoutMs: positiveInteger,
}

/** Two hundred times a round trip in a data centre; a query that waits this long once is still answered. */
const TIMEOUT_MS = 250

/** Keys of one command: Redis serves nobody else meanwhile. */
const KEYS = 512

type Command = (args: (string | Buffer)[]) => Promise<unknown>

/** What both versions of node-redis need to give bytes: 4 reads the first, 5 the second (36 is `$`, a bulk string). */
const AS_BYTES = { returnBuffers: true, typeMapping: { 36: Buffer } }

function commandOf(client: unknown): Command {
  const isClient = isRecord(client) || typeof client === 'function'
  const { callBuffer, sendCommand } = (isClient ? client : {}) as Partial<IoRedisClient & NodeRedisClient>
  if (typeof callBuffer === 'function') {
    return ([name, ...args]) => callBuffer.call(client as IoRedisClient, String(name), ...args)
  }
  if (typeof sendCommand === 'function') {
    return (args) => sendCommand.call(client as NodeRedisClient, args, AS_BYTES)
  }
  throw invalidOption('client', "client of 'ioredis' or 'redis'", client)
}

class RedisTier implements CacheTier {
  readonly name = 'redis'
  readonly timeoutMs: number
  readonly #command: Command
  readonly #prefix: string
  readonly #expiry: string[]

  constructor(command: Command, { ttl, prefix, timeoutMs }: RedisOptions) {
    this.timeoutMs = timeoutMs ?? TIMEOUT_MS
    this.#command = command
    this.#prefix = prefix ?? 'millrace:'
    this.#expiry = ttl === undefined ? [] : ['EX', String(ttl)]
  }

  async getMany(keys: readonly string[]): Promise<CacheAnswer> {
    const answers: Promise<unknown>[] = []
    for (let from = 0; from < keys.length; from += KEYS) {
      answers.push(this.#command(['MGET', ...keys.slice(from, from + KEYS).map((key) => this.#prefix + key)]))
    }
    return (await Promise.all(answers)).flat() as CacheAnswer
  }

  async setMany(entries: readonly CacheEntry[]): Promise<void> {
    // Sent in one turn, so both clients write them in one piece; MSET knows no expiry.
    await Promise.all(
      entries.map(([key, { buffer, byteOffset, byteLength }]) => {
        const value = Buffer.from(buffer, byteOffset, byteLength)
        return this.#command(['SET', this.#prefix + key, value, ...this.#expiry])
      }),
    )
  }

  flush(): void {}

  close(): void {}
}

/**
 * Keeps values in Redis. The client stays the caller's: connect it before and close it after. While Redis is away or slow,
 * rows are computed as if they were not there; a client that refuses at once instead of queueing (`enableOfflineQueue: false`,
 * `disableOfflineQueue: true`) makes that cheaper. On a cluster give a prefix with a hash tag (`'{rows}:'`), so that all keys are
 * on one node.
 *
 * @throws MillraceError INVALID_OPTION.
 *
 * @example
 * const cache = tieredCache([memory({ maxBytes: 64e6 }), redis(new Redis(), { ttl: 86_400, prefix: 'app:' })])
 */
export function redis(client: RedisClient, options?: RedisOptions): CacheTier {
  return new RedisTier(
    commandOf(client),
    parseOptions<RedisOptions>('redis', options, CHECKS) as RedisOptions,
  )
}
