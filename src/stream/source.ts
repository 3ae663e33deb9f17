/**
 * The kinds of source as one reader that is pulled in slices. It does not look at the items: what is wrong with one
 * is decided in `pump.ts`.
 */

import { MillraceError } from '../base/errors.js'
import { describeValue } from '../base/is.js'
import type { ImageInput } from './image-items.js'
import type { ItemKind } from './items.js'

/** Where many items come from. Streams of Node must give one item a chunk (object mode, such as `readline` or `split`). */
export type ItemSource<T> = Iterable<T> | AsyncIterable<T> | ReadableStream<T>

/** Where texts come from. A string is one text, never its characters. */
export type TextSource = string | ItemSource<string>

/** Where images come from: one image, or many. */
export type ImageSource = ImageInput | ItemSource<ImageInput>

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

/** Most characters or bytes of one slice: what copying into native memory may take of a turn. */
const SLICE_SIZE = 256 * 1024

/** Longest time of one slice: a generator may work for each item, and the event loop waits meanwhile. */
const SLICE_MS = 4

/** A source of our own that gives slices, not items: its method makes the reader. */
export const SLICES: unique symbol = Symbol('millrace.slices')

/** Such a source; it iterates too, as every source does. */
export interface SlicedSource<T> extends AsyncIterable<T> {
  [SLICES](): SourceReader
}

type Pullable = { getReader(): ReadableStreamDefaultReader<unknown> }

/** Throws INPUT_INVALID unless the value can be read as a source of such items. */
export function checkSource(source: unknown, kind: ItemKind<unknown>): void {
  if (isByteStream(source)) {
    throw new MillraceError(
      'INPUT_INVALID',
      `Expected items for source but received ${describeValue(source)}, a stream of Node that is not in object mode: its chunks ` +
        `are pieces of any length and no items; ${kind.streamRemedy}`,
    )
  }
  if (kind.isOne(source) || isWebStream(source) || isAsyncIterable(source) || isIterable(source)) return
  throw new MillraceError(
    'INPUT_INVALID',
    `Expected ${kind.expected}, or iterable, async iterable or ReadableStream of such, for source but received ` +
      describeValue(source),
  )
}

/** How many items there are, where the source says so. */
export function knownTotal(source: unknown, kind: ItemKind<unknown>): number | undefined {
  if (kind.isOne(source)) return 1
  return Array.isArray(source) ? source.length : undefined
}

/** Starts reading a checked source. */
export function openSource(source: unknown, kind: ItemKind<unknown>): SourceReader {
  if (kind.isOne(source)) return syncReader([source])
  if (isSliced(source)) return source[SLICES]()
  if (isWebStream(source)) return webReader(source)
  if (isAsyncIterable(source)) return asyncReader(source)
  return syncReader(source as Iterable<unknown>)
}

/** What copying an item costs, in characters or bytes. */
function sizeOf(item: unknown): number {
  if (typeof item === 'string') return item.length
  if (!isObject(item)) return 0
  if ('byteLength' in item && typeof item.byteLength === 'number') return item.byteLength
  if ('data' in item) return sizeOf(item.data)
  if ('size' in item && typeof item.size === 'number' && 'arrayBuffer' in item) return item.size
  if ('text' in item) return sizeOf(item.text)
  return Array.isArray(item) ? item.reduce((sum: number, part) => sum + sizeOf(part), 0) : 0
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function isSliced(value: unknown): value is SlicedSource<unknown> {
  return isObject(value) && SLICES in value
}

function isWebStream(value: unknown): value is Pullable {
  return isObject(value) && 'getReader' in value && typeof value.getReader === 'function'
}

/** A stream of a file, a socket or a process: `createReadStream(path, 'utf8')` gives 64 KB at a time, wherever a line ends. */
function isByteStream(value: unknown): boolean {
  return (
    isObject(value) &&
    'readableObjectMode' in value &&
    value.readableObjectMode === false &&
    'pipe' in value &&
    typeof value.pipe === 'function'
  )
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
      let size = 0
      open = false // until the iterator gives an item: one that threw or ended is not returned
      while (items.length < most && size < SLICE_SIZE) {
        const { done, value } = iterator.next()
        if (done === true) return { items, done }
        items.push(value)
        size += sizeOf(value)
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
