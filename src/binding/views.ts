/**
 * Arrays of the addon as arrays of this module's realm. The addon makes its arrays in the realm that loaded it, which is Node's own even
 * where a test runner (Jest, vitest's `vm` pools) runs this module in another one: `instanceof Float32Array` and deep equality
 * would be false there for arrays that look the same. A view copies nothing.
 */

import type { NativeBatch } from './types.js'

const CONSTRUCTORS = {
  Float32Array,
  Float64Array,
  Int8Array,
  Uint8Array,
  Uint16Array,
  Uint32Array,
} as const

/** The same memory as an array of this realm. */
export function own<T extends ArrayBufferView>(array: T): T {
  const { buffer, byteOffset, length, [Symbol.toStringTag]: kind } = array as unknown as Float32Array
  const Own = CONSTRUCTORS[kind as string as keyof typeof CONSTRUCTORS]
  return new Own(buffer as ArrayBuffer, byteOffset, length) as unknown as T
}

/** The batch with each of its arrays as one of this realm. */
export function ownBatch(batch: NativeBatch): NativeBatch {
  const entries = Object.entries(batch).map(([name, value]) => [
    name,
    ArrayBuffer.isView(value) ? own(value) : value,
  ])
  return Object.fromEntries(entries) as unknown as NativeBatch
}
