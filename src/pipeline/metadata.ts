/** What of a document's metadata JSON cannot hold: such values would be dropped, or become `{}`, without a word. */

/** What people nest is a tenth of this; what is nested deeper would overflow the stack where it is written. */
const DEEPEST = 500

/** A part that JSON cannot hold. */
export interface JsonFault {
  /** `meta.year`, `tags.0`: where it is. */
  path: string
  value: unknown
}

/** The first such part of `value`, or `undefined`. Cycles are found as values that are nested too deep. */
export function jsonFaultOf(value: unknown, path = '', depth = 0): JsonFault | undefined {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'undefined':
      return undefined
    case 'object':
      break
    default:
      return { path, value }
  }
  // Dates and the like say themselves what they are in JSON.
  if (value === null || typeof (value as { toJSON?: unknown }).toJSON === 'function') return undefined
  const isPlain = Array.isArray(value) || Object.prototype.toString.call(value) === '[object Object]'
  if (!isPlain || depth === DEEPEST) return { path, value }
  for (const [name, part] of Object.entries(value as object)) {
    const fault = jsonFaultOf(part, path === '' ? name : `${path}.${name}`, depth + 1)
    if (fault !== undefined) return fault
  }
  return undefined
}
