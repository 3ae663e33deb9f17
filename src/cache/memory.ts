/** A tier in this process: the least recently used values go when it is full. */

import type { CacheAnswer, CacheEntry, CacheTier } from '../options/cache.js'
import { type Check, integer, parseOptions } from '../options/check.js'

/** Options of {@link memory}. */
export interface MemoryOptions {
  /** Most bytes of values, keys and their book-keeping together. */
  maxBytes: number
}

export const byteCount: Check<number> = integer(1, Number.MAX_SAFE_INTEGER, 'positive integer')

/** What a value costs besides its bytes: its key (64 characters), its place in the map, its array and buffer. */
const OVERHEAD = 384

class MemoryTier implements CacheTier {
  readonly name = 'memory'
  readonly immediate = true
  readonly #maxBytes: number
  /** From the least to the most recently used. */
  readonly #values = new Map<string, Uint8Array>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  getMany(keys: readonly string[]): CacheAnswer {
    return keys.map((key) => {
      const value = this.#values.get(key)
      if (value === undefined) return undefined
      this.#values.delete(key)
      this.#values.set(key, value)
      return value
    })
  }

  setMany(entries: readonly CacheEntry[]): void {
    for (const [key, value] of entries) {
      this.#remove(key)
      if (value.byteLength + OVERHEAD > this.#maxBytes) continue
      // A view would keep the whole buffer that it is a part of.
      const own = value.byteLength === value.buffer.byteLength ? value : Uint8Array.from(value)
      this.#values.set(key, own)
      this.#bytes += own.byteLength + OVERHEAD
    }
    for (const key of this.#values.keys()) {
      if (this.#bytes <= this.#maxBytes) break
      this.#remove(key)
    }
  }

  flush(): void {}

  close(): void {
    this.#values.clear()
    this.#bytes = 0
  }

  #remove(key: string): void {
    const value = this.#values.get(key)
    if (value === undefined) return
    this.#values.delete(key)
    this.#bytes -= value.byteLength + OVERHEAD
  }
}

/**
 * Keeps values in memory, up to `maxBytes`; then the least recently used go.
 *
 * @throws MillraceError INVALID_OPTION.
 */
export function memory(options: MemoryOptions): CacheTier {
  const checked = parseOptions<MemoryOptions>('memory', options ?? {}, { maxBytes: byteCount })
  return new MemoryTier(byteCount('maxBytes', checked.maxBytes))
}
