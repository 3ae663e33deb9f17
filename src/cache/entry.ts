/**
 * A row as bytes: what every tier keeps. Little-endian, a header of 32 bytes, then the values:
 *
 *     0 magic and version   8 shape   9 dtype   10 flags   12 dim    20 count   28 zero
 *     4 CRC-32 of the key and of everything from byte 8 on          16 tokens  24 scale
 *
 * Before the vectors of a text in chunks are four columns of 4 bytes a chunk: begin, end, tokens and, where the format has them, scales.
 *
 * The checksum covers the key, so that a value filed under another key is no value. Which rows may be taken for which input is
 * decided by the key alone: see `model-scope.ts`.
 */

import { crc32 } from 'node:zlib'
import type { NativeBatch, NativeDType } from '../binding/types.js'
import { DTYPES, elementBytes } from '../formats/dtype.js'

/** `MRC` and the version of the format; another version is not read. */
const MAGIC = 0x01_43_52_4d

/** Bytes before the values; a multiple of 8, so that values may be read in place. */
const HEADER = 32

/** What the values are. */
export const Shape = { dense: 0, sparse: 1, multiVector: 2, name: 3, chunks: 4 } as const
export type Shape = (typeof Shape)[keyof typeof Shape]

const TRUNCATED = 1
const SCALED = 2

/** What a header says. */
export interface EntryFacts {
  shape: Shape
  dtype: NativeDType
  /** Values of a row or of each of its vectors; 0 for sparse rows. */
  dim: number
  tokens: number
  truncated: boolean
  /** Vectors or sparse values. */
  count: number
  /** Of the row; of chunks, which have one each, only whether. */
  scale?: number
}

const view = (entry: Uint8Array): DataView => new DataView(entry.buffer, entry.byteOffset, entry.byteLength)

function checksum(key: string, entry: Uint8Array): number {
  return crc32(entry.subarray(8), crc32(key))
}

function payloadBytes(facts: EntryFacts): number {
  const { shape, dtype, dim, count } = facts
  if (shape === Shape.sparse) return count * 8
  if (shape === Shape.name) return count
  const vectors = shape === Shape.dense ? 1 : count
  return columnsOf(facts) * count * 4 + vectors * dim * elementBytes(dtype)
}

/** Columns of 4 bytes a chunk before the vectors. */
export function columnsOf({ shape, scale }: EntryFacts): number {
  if (shape !== Shape.chunks) return 0
  return scale === undefined ? 3 : 4
}

/** Whether these are the bytes that were written for this key. */
export function isIntact(key: string, entry: Uint8Array): boolean {
  if (entry.byteLength < HEADER) return false
  const header = view(entry)
  if (header.getUint32(0, true) !== MAGIC || header.getUint32(4, true) !== checksum(key, entry)) return false
  return (
    DTYPES[header.getUint8(9)] !== undefined && entry.byteLength === HEADER + payloadBytes(factsOf(entry))
  )
}

/** The header of an intact entry. */
export function factsOf(entry: Uint8Array): EntryFacts {
  const header = view(entry)
  const flags = header.getUint8(10)
  return {
    shape: header.getUint8(8) as Shape,
    dtype: DTYPES[header.getUint8(9)] ?? 'float32',
    dim: header.getUint32(12, true),
    tokens: header.getUint32(16, true),
    truncated: (flags & TRUNCATED) !== 0,
    count: header.getUint32(20, true),
    ...((flags & SCALED) !== 0 && { scale: header.getFloat32(24, true) }),
  }
}

/** Tokens of an intact entry, without reading the rest. */
export function tokensOf(entry: Uint8Array): number {
  return view(entry).getUint32(16, true)
}

/** The values of an intact entry, as bytes. */
export function payloadOf(entry: Uint8Array): Uint8Array {
  return entry.subarray(HEADER)
}

function write(key: string, facts: EntryFacts, parts: ArrayBufferView[]): Uint8Array {
  // Not from Node's pool: a tier may keep the entry for long, and with it the whole buffer it lies in.
  const entry = Buffer.allocUnsafeSlow(HEADER + payloadBytes(facts))
  const header = view(entry)
  header.setUint32(0, MAGIC, true)
  header.setUint8(8, facts.shape)
  header.setUint8(9, DTYPES.indexOf(facts.dtype))
  header.setUint8(10, (facts.truncated ? TRUNCATED : 0) | (facts.scale === undefined ? 0 : SCALED))
  header.setUint8(11, 0)
  header.setUint32(12, facts.dim, true)
  header.setUint32(16, facts.tokens, true)
  header.setUint32(20, facts.count, true)
  header.setFloat32(24, facts.scale ?? 0, true)
  header.setUint32(28, 0, true)
  let at = HEADER
  for (const { buffer, byteOffset, byteLength } of parts) {
    entry.set(new Uint8Array(buffer, byteOffset, byteLength), at)
    at += byteLength
  }
  header.setUint32(4, checksum(key, entry), true)
  return entry
}

/** Row `i` of a batch, which did not fail, as the entry of `key`. */
export function entryOf(key: string, batch: NativeBatch, i: number): Uint8Array {
  const { data, dim, dtype, indices, rowOffsets, scales, starts, ends, chunkTokens } = batch
  const common = { dtype, tokens: batch.tokens[i] ?? 0, truncated: batch.truncated[i] === 1 }
  const [from, to] = [rowOffsets?.[i] ?? 0, rowOffsets?.[i + 1] ?? 0]
  if (indices !== undefined) {
    const parts = [indices.subarray(from, to), data.subarray(from, to)]
    return write(key, { ...common, shape: Shape.sparse, dim: 0, count: to - from }, parts)
  }
  if (starts !== undefined && ends !== undefined && chunkTokens !== undefined) {
    const columns = scales === undefined ? [starts, ends, chunkTokens] : [starts, ends, chunkTokens, scales]
    const facts = {
      ...common,
      shape: Shape.chunks,
      dim,
      count: to - from,
      ...(scales !== undefined && { scale: 0 }),
    }
    return write(key, facts, [
      ...columns.map((column) => column.subarray(from, to)),
      data.subarray(from * dim, to * dim),
    ])
  }
  if (rowOffsets !== undefined) {
    const facts = { ...common, shape: Shape.multiVector, dim, count: to - from }
    return write(key, facts, [data.subarray(from * dim, to * dim)])
  }
  const scale = scales?.[i]
  const facts = { ...common, shape: Shape.dense, dim, count: 1, ...(scale !== undefined && { scale }) }
  return write(key, facts, [data.subarray(i * dim, (i + 1) * dim)])
}

/** A name of a content as an entry, so that the tiers can keep names of large files too. */
export function nameEntry(key: string, name: string): Uint8Array {
  const bytes = Buffer.from(name, 'latin1')
  const facts = { dtype: 'uint8', dim: 0, tokens: 0, truncated: false, count: bytes.length } as const
  return write(key, { ...facts, shape: Shape.name }, [bytes])
}

/** The name in an intact entry; `undefined` where it is none. */
export function nameIn(entry: Uint8Array): string | undefined {
  const payload = payloadOf(entry)
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  return factsOf(entry).shape === Shape.name ? bytes.toString('latin1') : undefined
}
