/** Nearest names for "did you mean": edit distance over short lists. Not a search over texts. */

/** More than this many proposals help nobody choose. */
const MOST = 3

/** The candidates most like `name`, all equally near; none when nothing is near. */
export function nearest(name: string, candidates: Iterable<string>): string[] {
  const wanted = fold(name)
  const scored: { candidate: string; distance: number }[] = []
  for (const candidate of candidates) {
    const distance = Math.min(
      editDistance(wanted, fold(candidate)),
      editDistance(wanted, lastPart(candidate)),
    )
    // A third of the letters may differ, two always may: `batchsiez` is near, `foo` is not.
    if (distance <= Math.max(2, Math.floor(wanted.length / 3)) && distance < wanted.length) {
      scored.push({ candidate, distance })
    }
  }
  scored.sort((a, b) => a.distance - b.distance)
  return scored
    .filter(({ distance }) => distance === scored[0]?.distance)
    .slice(0, MOST)
    .map(({ candidate }) => candidate)
}

/** ", did you mean 'a' or 'b'?", or nothing. */
export function didYouMean(names: readonly string[]): string {
  return names.length === 0 ? '' : `, did you mean ${names.map((name) => `'${name}'`).join(' or ')}?`
}

/** Case, `_` and `-` do not count: `batch_size` is `batchSize`. */
function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '')
}

/** `org/model` is often written `model`. */
function lastPart(name: string): string {
  return fold(name.slice(name.lastIndexOf('/') + 1))
}

/** Levenshtein distance, one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitute))
    }
    row = next
  }
  return row[b.length] ?? 0
}
