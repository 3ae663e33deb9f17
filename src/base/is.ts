/**
 * Predicates on unknown values, and how a value is named in an error. No checks of particular options: those
 * are tables in `options/`.
 */

/** How much of a string an error message repeats: enough to recognise it, never a whole document. */
const SHOWN_CHARACTERS = 60

/** An object with properties, not an array and not null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An integer of the range, ends included. */
export function isIntegerIn(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max
}

/** Anything that behaves as an `AbortSignal`, of this realm or another. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    isRecord(value) &&
    typeof value['aborted'] === 'boolean' &&
    typeof value['addEventListener'] === 'function'
  )
}

/** `'x' of type string`, `null`, `Map of type object`: what stands after "but received". */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  return `${shown(value)} of type ${Array.isArray(value) ? 'array' : typeof value}`
}

function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `'${value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}…` : value}'`
    case 'function':
      return value.name === '' ? 'a function' : value.name
    case 'object':
      return Array.isArray(value) ? `${value.length} elements` : constructorName(value as object)
    default:
      return String(value)
  }
}

function constructorName(value: object): string {
  const made: unknown = value.constructor
  return typeof made === 'function' && made.name !== '' ? made.name : 'an object'
}
