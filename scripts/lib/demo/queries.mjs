/** What the demonstration asks, and the exact search that answers. */

/** Few words of these stand in the texts that answer them. */
export const QUERIES = ['listen to songs', 'keep passwords safe', 'find mistakes in my C program']

const SHOWN = 3

/** The best rows, by dot product: the vectors have length 1. */
export function nearest(query, vectors) {
  const hits = []
  for (let index = 0; index < vectors.length; index++) {
    hits.push({ index, score: vectors.row(index).reduce((sum, x, i) => sum + x * query[i], 0) })
  }
  return hits.sort((a, b) => b.score - a.score).slice(0, SHOWN)
}
