/**
 * The kinds of source as one reader that is pulled in slices. It does not look at the items: what is wrong with one
 * is decided in `pump.ts`.
 */

import { MillraceError } from '../errors.js'
import { describeValue } from '../is.js'

/**
 * Where texts come from. A string is one text, never its characters. Streams of Node must give strings (object mode,
 * such as `readline` or `split`), one text an item.
 */
export type TextSource = string | Iterable<string> | AsyncIterable<string> | ReadableStream<string>

/** Some items in order; `done` says that no more come. */
export interface Slice {
  items: unknown[]
  done: boolean
}

/** A source under way. One `read` at a time. */
export interface SourceReader {
  /** Up to `limit` items, at least one unless it is the end. Throws or rejects with the source's own error. */
  read(limit: number): Slice | Promise<Slice>
  /** Releases the source. Resolves once its clean-up ran, or at once where a pending read hangs before it. */
  stop(): void | Promise<void>
}

/** Most items of one slice of a synchronous source: a native call for each item would cost more than the item. */
const SLICE_ITEMS = 64

/** Most characters of one slice (256 KiB of ASCII): what copying into native memory may take of a turn. */
const SLICE_CHARACTERS = 256 * 1024

/** Longest time of one slice: a generator may work for each item, and the event loop waits meanwhile. */
const SLICE_MS = 4

type Pullable = { getReader(): ReadableStreamDefaultReader<unknown> }

/** Throws INPUT_INVALID unless the value can be read as a source. */
export function checkSource(source: unknown): void {
  if (typeof source === 'string' || isWebStream(source) || isAsyncIterable(source) || isIterable(source))
    return
  throw new MillraceError(
    'INPUT_INVALID',
    'Expected string, iterable, async iterable or ReadableStream of strings for source but received ' +
      describeValue(source),
  )
}

/** How many items there are, where the source says so. */
export function knownTotal(source: unknown): number | undefined {
  if (typeof source === 'string') return 1
  return Array.isArray(source) ? source.length : undefined
}

/** Starts reading a checked source. */
export function openSource(source: unknown): SourceReader {
  if (typeof source === 'string') return syncReader([source])
  if (isWebStream(source)) return webReader(source)
  if (isAsyncIterable(source)) return asyncReader(source)
  return syncReader(source as Iterable<unknown>)
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function isWebStream(value: unknown): value is Pullable {
  return isObject(value) && 'getReader' in value && typeof value.getReader === 'function'
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return isObject(value) && Symbol.asyncIterator in value && typeof value[Symbol.asyncIterator] === 'function'
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return isObject(value) && Symbol.iterator in value && typeof value[Symbol.iterator] === 'function'
}

function syncReader(source: Iterable<unknown>): SourceReader {
  const iterator = source[Symbol.iterator]()
  let open = true
  return {
    read(limit) {
      const items: unknown[] = []
      const most = Math.min(limit, SLICE_ITEMS)
      const end = performance.now() + SLICE_MS
      let characters = 0
      open = false // until the iterator gives an item: one that threw or ended is not returned
      while (items.length < most && characters < SLICE_CHARACTERS) {
        const { done, value } = iterator.next()
        if (done === true) return { items, done }
        items.push(value)
        if (typeof value === 'string') characters += value.length
        if (performance.now() >= end) break
      }
      open = true
      return { items, done: false }
    },
    stop() {
      if (open) iterator.return?.()
      open = false
    },
  }
}

function asyncReader(source: AsyncIterable<unknown>): SourceReader {
  const iterator = source[Symbol.asyncIterator]()
  let open = true
  let reading = false
  return {
    async read() {
      reading = true
      try {
        const { done, value } = await iterator.next()
        if (done === true) open = false
        return done === true ? { items: [], done } : { items: [value], done: false }
      } catch (error) {
        open = false
        throw error
      } finally {
        reading = false
      }
    },
    async stop() {
      if (!open) return
      open = false
      // A stream of Node that waits for data would keep its `return()` waiting too, and its handle open.
      if (isDestroyable(source)) source.destroy()
      const returned = Promise.resolve(iterator.return?.())
      if (reading) returned.catch(() => {})
      else await returned
    },
  }
}

function isDestroyable(source: object): source is { destroy(): void } {
  return 'destroy' in source && typeof source.destroy === 'function' && 'pipe' in source
}

function webReader(source: Pullable): SourceReader {
  const reader = source.getReader()
  let open = true
  return {
    async read() {
      try {
        const { done, value } = await reader.read()
        if (done) open = false
        return done ? { items: [], done } : { items: [value], done: false }
      } catch (error) {
        open = false
        throw error
      } finally {
        if (!open) reader.releaseLock()
      }
    },
    async stop() {
      if (!open) return
      open = false
      await reader.cancel() // ends a pending read too
      reader.releaseLock()
    },
  }
}
