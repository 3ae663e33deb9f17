/**
 * How a value lies in a log: a header of 48 bytes, then the value.
 *
 *     0 magic   4 bytes of the value   8 CRC-32 of the header without this field   12 zero   16 the key, 32 bytes
 *
 * A log may hold anything: what a crash cut off, what two processes wrote through each other. Whoever reads it looks for the
 * next header that holds. Whether the value is whole is for its own checksum to say.
 */

import { crc32 } from 'node:zlib'
import type { CacheEntry } from '../../options/cache.js'

/** `MRL1`, read little-endian. */
const MAGIC = 0x31_4c_52_4d
const MAGIC_BYTES = Buffer.from('MRL1', 'latin1')

/** Bytes before a value. */
const RECORD_HEADER = 48

/** A value's place in a log, its header included. */
export interface Found {
  /** The key's first eight bytes, as two numbers. */
  high: number
  low: number
  offset: number
  length: number
}

/** The first eight bytes of a key. */
export function keyHead(key: string): { high: number; low: number } {
  return { high: Number.parseInt(key.slice(0, 8), 16), low: Number.parseInt(key.slice(8, 16), 16) }
}

function headerChecksum(header: Buffer): number {
  return crc32(header.subarray(12, RECORD_HEADER), crc32(header.subarray(0, 8)))
}

/** Entries as they are appended, and where each begins. */
export function encodeRecords(entries: readonly CacheEntry[]): { bytes: Buffer; starts: number[] } {
  const size = entries.reduce((sum, [, value]) => sum + RECORD_HEADER + value.byteLength, 0)
  const bytes = Buffer.allocUnsafeSlow(size)
  const starts: number[] = []
  let at = 0
  for (const [key, value] of entries) {
    starts.push(at)
    bytes.writeUInt32LE(MAGIC, at)
    bytes.writeUInt32LE(value.byteLength, at + 4)
    bytes.writeUInt32LE(0, at + 12)
    bytes.write(key, at + 16, 32, 'hex')
    bytes.writeUInt32LE(headerChecksum(bytes.subarray(at, at + RECORD_HEADER)), at + 8)
    bytes.set(value, at + RECORD_HEADER)
    at += RECORD_HEADER + value.byteLength
  }
  return { bytes, starts }
}

/** Length of the record that begins at `at`, header included; `undefined` where none begins. */
function recordLength(bytes: Buffer, at: number): number | undefined {
  if (bytes.readUInt32LE(at) !== MAGIC) return undefined
  const header = bytes.subarray(at, at + RECORD_HEADER)
  if (header.readUInt32LE(8) !== headerChecksum(header)) return undefined
  return RECORD_HEADER + header.readUInt32LE(4)
}

/** The value of `key` in its record; `undefined` when it is another key's or none. */
export function valueIn(record: Buffer, key: string): Buffer | undefined {
  if (record.length < RECORD_HEADER || recordLength(record, 0) !== record.length) return undefined
  return record.toString('hex', 16, RECORD_HEADER) === key ? record.subarray(RECORD_HEADER) : undefined
}

/**
 * Finds the records that begin in `bytes`, a piece of a log from `base` on; `size` is where the log ends now. Returns from where
 * to go on: the first record that is not whole yet, or as far as was read.
 */
export function scan(bytes: Buffer, base: number, size: number, note: (found: Found) => void): number {
  let at = 0
  while (at + RECORD_HEADER <= bytes.length) {
    const length = recordLength(bytes, at)
    if (length === undefined) {
      const next = bytes.indexOf(MAGIC_BYTES, at + 1)
      // A magic may begin in the last bytes.
      at = next < 0 ? Math.max(at + 1, bytes.length - MAGIC_BYTES.length + 1) : next
      continue
    }
    if (base + at + length > size) break
    note({ high: bytes.readUInt32BE(at + 16), low: bytes.readUInt32BE(at + 20), offset: base + at, length })
    at += length
  }
  return base + at
}
