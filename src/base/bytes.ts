/** Values as the bytes that they are in memory. */

/** The bytes of a typed array or view, without a copy. Every platform with an addon is little-endian, as the formats are. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
