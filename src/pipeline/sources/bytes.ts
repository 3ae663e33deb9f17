/** The bytes of an input file or standard input, unpacked if they are gzip. It knows nothing of lines. */

import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { MillraceError } from '../../base/errors.js'
import { codeOf, reasonOf } from '../../base/foreign.js'

/** The name that means standard input. */
export const STDIN = '-'

/** Where a file is: bytes where its name is no UTF-8, which on Linux any name may be. */
export type FilePath = string | Buffer

/** Bytes of one read: larger ones gain nothing, and each is held until its lines are parsed. */
const READ_BYTES = 256 * 1024

/** How the input is called in messages. */
export function inputName(path: FilePath): string {
  return path === STDIN ? 'stdin' : String(path)
}

/** Reads in chunks. Rejects with the system's error, or INPUT_INVALID for broken gzip data. */
export async function* readBytes(path: FilePath): AsyncGenerator<Buffer, void, undefined> {
  const source: Readable =
    path === STDIN ? process.stdin : createReadStream(path, { highWaterMark: READ_BYTES })
  try {
    const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    const { head, rest } = await splitHead(chunks)
    if (String(path).endsWith('.gz') ? head.length > 0 : isGzip(head)) yield* gunzip(path, rest)
    else yield* rest
  } finally {
    source.destroy()
  }
}

/**
 * The whole of a file, unpacked.
 *
 * @throws MillraceError INPUT_INVALID where it has more than `maxBytes`, whatever size it has packed; or as {@link readBytes}.
 */
export async function readWhole(path: FilePath, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of readBytes(path)) {
    size += piece.length
    if (size > maxBytes) {
      throw new MillraceError('INPUT_INVALID', `${inputName(path)} has more than ${maxBytes} bytes`)
    }
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** Bytes of all files after unpacking, where it is known beforehand; only for showing progress. */
export async function totalSize(paths: readonly string[]): Promise<number | undefined> {
  const sizes = await Promise.all(paths.map(sizeOf))
  if (sizes.some((size) => size === undefined)) return undefined
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
}

/** Bytes of one. */
async function sizeOf(path: string): Promise<number | undefined> {
  if (path === STDIN) return undefined
  // A named pipe must not be opened here: its writer would take this for the reader and end when it is closed again.
  if (!(await stat(path)).isFile()) return undefined
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (size < 18) return size // the least of a gzip member
    const ends = Buffer.alloc(8)
    await file.read(ends, 0, 2, 0)
    if (!isGzip(ends.subarray(0, 2))) return size
    // The trailer's size, modulo 2^32 and of the last member only: smaller than the file means it does not tell.
    await file.read(ends, 4, 4, size - 4)
    const unpacked = ends.readUInt32LE(4)
    return unpacked >= size ? unpacked : undefined
  } finally {
    await file.close()
  }
}

function isGzip(head: Buffer): boolean {
  return head[0] === 0x1f && head[1] === 0x8b
}

/** The first two bytes (fewer at the end) and everything from the start: a pipe may give one byte at a time. */
async function splitHead(
  chunks: AsyncIterator<Buffer>,
): Promise<{ head: Buffer; rest: AsyncGenerator<Buffer, void, undefined> }> {
  let head: Buffer = Buffer.alloc(0)
  while (head.length < 2) {
    const { done, value } = await chunks.next()
    if (done === true) break
    head = Buffer.concat([head, value])
  }
  async function* rest(): AsyncGenerator<Buffer, void, undefined> {
    if (head.length > 0) yield head
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value
  }
  return { head, rest: rest() }
}

async function* gunzip(
  path: FilePath,
  packed: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  const unpacked = createGunzip()
  pipeline(Readable.from(packed), unpacked, () => {}) // its error comes out of `unpacked`
  try {
    for await (const chunk of unpacked) yield chunk as Buffer
  } catch (error) {
    if (codeOf(error)?.startsWith('Z_') === true) {
      throw new MillraceError('INPUT_INVALID', `${inputName(path)}: broken gzip data: ${reasonOf(error)}`, {
        cause: error,
      })
    }
    throw error
  } finally {
    unpacked.destroy()
  }
}
