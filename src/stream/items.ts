/** The kinds of item a source may hold: how each crosses to the native side. Reading sources is in `source.ts`. */

import { fileURLToPath } from 'node:url'
import { unwrap } from '../base/errors.js'
import { isArrayBuffer, isArrayOf, isBytes, isUrl } from '../base/foreign.js'
import { isRecord } from '../base/is.js'
import type { NativeImage, NativeJob } from '../binding/types.js'

/** A kind of item; `N` is what the addon takes. */
export interface ItemKind<N> {
  /** What an item must be, for the sentence of an error. */
  readonly expected: string
  /** Stands in for an item that is none, so that positions hold. */
  readonly placeholder: N
  /** Whether a source is one item rather than many. */
  isOne(source: unknown): boolean
  /** The item as the addon takes it; `undefined` for one that is not of the kind. */
  encode(item: unknown): N | undefined
  /** Puts items into a job; how many more it takes now. */
  push(job: NativeJob, items: N[]): number
}

/** Texts: strings. */
export const texts: ItemKind<string> = {
  expected: 'string',
  placeholder: '',
  isOne: (source) => typeof source === 'string',
  encode: (item) => (typeof item === 'string' ? item : undefined),
  push: (job, items) => unwrap(job.push(items)),
}

/** Pixels that are decoded already: rows from the top, 8 bits a channel, channels interleaved. */
export interface RawImage {
  /** `width × height × channels` values. */
  data: Uint8Array | Uint8ClampedArray
  width: number
  height: number
  /** 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA. Alpha is dropped. */
  channels: 1 | 2 | 3 | 4
}

/** One image: the path or `file:` URL of a file, the bytes of one (a `Buffer`, say), or pixels. */
export type ImageInput = string | URL | Uint8Array | ArrayBuffer | RawImage

function isRawImage(item: unknown): item is RawImage {
  return (
    isRecord(item) &&
    (isBytes(item['data']) || isArrayOf('Uint8ClampedArray', item['data'])) &&
    [item['width'], item['height'], item['channels']].every(
      (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32,
    )
  )
}

function encodeImage(item: unknown): NativeImage | undefined {
  if (typeof item === 'string') return { path: item }
  if (isUrl(item)) {
    try {
      return { path: fileURLToPath(item.href) }
    } catch {
      return undefined // not a file's
    }
  }
  if (isBytes(item)) return { data: item }
  if (isArrayBuffer(item)) return { data: new Uint8Array(item) }
  if (!isRawImage(item)) return undefined
  const { data, width, height, channels } = item
  const bytes = isBytes(data) ? data : new Uint8Array(data.buffer, data.byteOffset, data.length)
  return { data: bytes, width, height, channels }
}

/** Images. */
export const images: ItemKind<NativeImage> = {
  expected: 'path, file: URL, Uint8Array or { data, width, height, channels }',
  placeholder: {},
  isOne: (source) => encodeImage(source) !== undefined || isUrl(source),
  encode: encodeImage,
  push: (job, items) => unwrap(job.pushImages(items)),
}

/** A query and the document that is judged by it. */
export type TextPair = readonly [query: string, document: string]

/** Pairs of texts. */
export const pairs: ItemKind<TextPair> = {
  expected: 'pair of strings [query, document]',
  placeholder: ['', ''],
  isOne: () => false,
  encode: (item) =>
    Array.isArray(item) && item.length === 2 && item.every((text) => typeof text === 'string')
      ? (item as unknown as TextPair)
      : undefined,
  push: (job, items) =>
    unwrap(
      job.pushPairs(
        items.map(([query]) => query),
        items.map(([, document]) => document),
      ),
    ),
}

/** Documents of one query. */
export function documentsOf(query: string): ItemKind<string> {
  return {
    ...texts,
    push: (job, items) =>
      unwrap(
        job.pushPairs(
          items.map(() => query),
          items,
        ),
      ),
  }
}
