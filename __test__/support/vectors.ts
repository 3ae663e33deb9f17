/** Comparing vectors in tests. */

/** The bits, so that 0 and -0 differ and NaN equals itself. */
export function bits(vector: ArrayBufferView): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64')
}

export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0
  let aa = 0
  let bb = 0
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number]
    dot += x * y
    aa += x * x
    bb += y * y
  }
  return dot / Math.sqrt(aa * bb)
}

/** Largest difference of a value; NaN if there is one. */
export function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.NaN
  return Math.max(0, ...Array.from(a, (value, i) => Math.abs(value - (b[i] as number))))
}

export const norm = (vector: ArrayLike<number>): number =>
  Math.sqrt(Array.from(vector).reduce((sum, value) => sum + value * value, 0))

export const allFinite = (vector: ArrayLike<number>): boolean => Array.from(vector).every(Number.isFinite)
