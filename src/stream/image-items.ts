/** Images as items of a source: what is taken for one, and how it crosses to the native side. Nothing is decoded here. */

import { fileURLToPath } from 'node:url'
import { unwrap } from '../base/errors.js'
import { isArrayOf, isBuffer, isBytes, isDataView, isShared, isUrl, textOf } from '../base/foreign.js'
import { isRecord } from '../base/is.js'
import type { NativeImage } from '../binding/types.js'
import { MAX_IMAGE_BYTES } from '../options/image.js'
import type { ItemKind } from './items.js'

/** Pixels that are decoded already: rows from the top, 8 bits a channel, channels interleaved. */
export interface RawImage {
  /** `width × height × channels` values. */
  data: Uint8Array | Uint8ClampedArray
  width: number
  height: number
  /** 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA. Alpha is dropped. */
  channels: 1 | 2 | 3 | 4
}

/** What a canvas gives: RGBA pixels, `width × height × 4` values. Alpha is dropped. */
export interface ImageDataLike {
  data: Uint8ClampedArray
  width: number
  height: number
}

/** What sharp gives with `toBuffer({ resolveWithObject: true })`: pixels where `info.format` is `'raw'`, else the bytes of a file. */
export interface SharpOutput {
  data: Uint8Array
  info: { format: string; width: number; height: number; channels: number }
}

/** A `Blob` or a `File`, such as a form has. */
export interface BlobLike {
  readonly size: number
  readonly type: string
  slice(start?: number, end?: number): { arrayBuffer(): Promise<ArrayBuffer> }
  arrayBuffer(): Promise<ArrayBuffer>
}

/**
 * One image: the path of a file, its `file:` URL or a `data:` URL (strings or `URL`s); the bytes of a file, as a `Buffer` or other
 * `Uint8Array`, an `ArrayBuffer`, a `SharedArrayBuffer` (copied), a `DataView`, a `Blob` or a `File`; or pixels, as `{ data, width, height,
 * channels }`, sharp's `{ data, info }` or a canvas's `ImageData`. Nothing is fetched: a URL of the web is INPUT_INVALID.
 */
export type ImageInput =
  | string
  | URL
  | Uint8Array
  | ArrayBuffer
  | SharedArrayBuffer
  | DataView
  | BlobLike
  | RawImage
  | ImageDataLike
  | SharpOutput

/** Longest path that a system takes, in characters; a longer string is something else, such as an image in base64. */
const LONGEST_PATH = process.platform === 'win32' ? 32_767 : 4_096

/** `https://…`, `s3://…`, `data:…`, `file:…`, `blob:…`; a Windows drive has one letter. */
const URL_SCHEME = /^(?:[a-z][a-z0-9+.-]+:\/\/|(?:data|file|blob):)/i

/** What a `data:` URL says before its comma. */
const DATA_HEADER = /^data:[^,]*,/i

/** Images; `maxBytes` is the most that is read of a `Blob`. */
export function imageItems(maxBytes: number = MAX_IMAGE_BYTES): ItemKind<NativeImage> {
  return {
    expected:
      'path, file: or data: URL, bytes of a file (Buffer, Uint8Array, ArrayBuffer, DataView, Blob) or pixels { data, width, height, channels }',
    placeholder: {},
    isOne: isImage,
    encode: encodeImage,
    reading: {
      isNeeded: isBlob,
      // One byte more than may be used shows that there are more, and the rest of a large file stays where it is.
      read: (item) => (item as BlobLike).slice(0, maxBytes + 1).arrayBuffer(),
    },
    remedy,
    streamRemedy: 'read the image as a whole with buffer(stream) of node:stream/consumers',
    push: (job, items) => unwrap(job.pushImages(items)),
  }
}

/** Whether it is meant as one image, be it a good one or not. */
function isImage(source: unknown): boolean {
  if (textOf(source) !== undefined || isUrl(source) || isBlob(source)) return true
  if (isBytes(source) || isBuffer(source) || isDataView(source)) return true
  return isRecord(source) && (isBytes(source['data']) || isArrayOf('Uint8ClampedArray', source['data']))
}

function encodeImage(item: unknown): NativeImage | undefined {
  const text = isUrl(item) ? item.href : textOf(item)
  if (text !== undefined) return encodeText(text)
  if (isBytes(item)) return { data: bytesOf(item.buffer, item.byteOffset, item.byteLength) }
  if (isBuffer(item)) return { data: bytesOf(item, 0, item.byteLength) }
  if (isDataView(item)) return { data: bytesOf(item.buffer, item.byteOffset, item.byteLength) }
  return isRecord(item) ? encodeRecord(item) : undefined
}

/** The bytes; a copy of those that other threads may change, which Node-API does not take. Throws for a buffer that was transferred. */
function bytesOf(buffer: ArrayBuffer | SharedArrayBuffer, from: number, length: number): Uint8Array {
  if (isShared(buffer)) return new Uint8Array(buffer, from, length).slice()
  return new Uint8Array(buffer, from, length)
}

function encodeText(text: string): NativeImage | undefined {
  if (!URL_SCHEME.test(text)) return text.length > LONGEST_PATH ? undefined : { path: text }
  if (/^file:/i.test(text)) {
    try {
      return { path: fileURLToPath(text) }
    } catch {
      return undefined // of another host
    }
  }
  return DATA_HEADER.test(text) ? { data: bytesOfDataUrl(text) } : undefined
}

function bytesOfDataUrl(url: string): Uint8Array {
  const comma = url.indexOf(',')
  const content = url.slice(comma + 1)
  const escaped = !content.includes('%')
    ? content
    : content.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(escaped, /;\s*base64\s*$/i.test(url.slice(0, comma)) ? 'base64' : 'latin1')
}

/** Pixels, or what sharp gives. */
function encodeRecord(item: Record<string, unknown>): NativeImage | undefined {
  const { data, info } = item
  const isClamped = isArrayOf('Uint8ClampedArray', data)
  if (!isBytes(data) && !isClamped) return undefined
  const bytes = bytesOf(data.buffer, data.byteOffset, data.length)
  if (isRecord(info)) return info['format'] === 'raw' ? pixels(bytes, info) : { data: bytes }
  // Only a canvas leaves the channels out, and its pixels are always RGBA.
  return pixels(bytes, isClamped && item['channels'] === undefined ? canvas(item) : item)
}

const canvas = ({ width, height }: Record<string, unknown>) => ({ width, height, channels: 4 })

function pixels(data: Uint8Array, measures: Record<string, unknown>): NativeImage | undefined {
  const { width, height, channels } = measures
  const isMeasure = (value: unknown) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32
  if (![width, height, channels].every(isMeasure)) return undefined
  return { data, width: width as number, height: height as number, channels: channels as number }
}

function isBlob(value: unknown): value is BlobLike {
  return (
    isRecord(value) &&
    typeof value['size'] === 'number' &&
    typeof value['arrayBuffer'] === 'function' &&
    typeof value['slice'] === 'function'
  )
}

function remedy(item: unknown): string | undefined {
  const text = isUrl(item) ? item.href : (textOf(item) ?? '')
  if (/^https?:/i.test(text)) {
    return 'nothing is fetched here; give the bytes: await (await fetch(url)).arrayBuffer()'
  }
  if (text.length > LONGEST_PATH && !URL_SCHEME.test(text)) {
    return "no path is that long; an image in base64 is given as Buffer.from(text, 'base64')"
  }
  return undefined
}
