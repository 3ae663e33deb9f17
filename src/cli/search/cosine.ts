/** Cosine similarity of one query to many rows. */

/** The same direction with length 1; zeros stay zeros. */
export function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  return length === 0 ? vector : vector.map((x) => x / length)
}

/** Cosine of a unit query and the row at `from`; NaN for a row of zeros, which is a failed one and no vector. */
export function cosine(query: Float32Array, rows: Float32Array, from: number): number {
  let dot = 0
  let square = 0
  for (let i = 0; i < query.length; i++) {
    const x = rows[from + i] as number
    dot += (query[i] as number) * x
    square += x * x
  }
  return square === 0 ? Number.NaN : dot / Math.sqrt(square)
}
