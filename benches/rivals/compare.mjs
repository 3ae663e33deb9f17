/** How far two files of vectors are apart. */
import { readFileSync } from 'node:fs'

const floats = (path) => {
  const { buffer, byteOffset, byteLength } = readFileSync(path)
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength))
}

/** `{ minCosine, maxDifference }` over the rows of two files of float32 vectors with `dim` dimensions. */
export function compareVectors(path, referencePath, dim) {
  const [ours, reference] = [floats(path), floats(referencePath)]
  if (ours.length !== reference.length) throw new Error(`${ours.length} values beside ${reference.length}`)
  let minCosine = 1
  let maxDifference = 0
  for (let at = 0; at < ours.length; at += dim) {
    let [dot, a, b] = [0, 0, 0]
    for (let i = at; i < at + dim; i++) {
      dot += ours[i] * reference[i]
      a += ours[i] ** 2
      b += reference[i] ** 2
      maxDifference = Math.max(maxDifference, Math.abs(ours[i] - reference[i]))
    }
    minCosine = Math.min(minCosine, dot / Math.sqrt(a * b))
  }
  return { minCosine, maxDifference }
}
