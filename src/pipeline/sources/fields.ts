/** Dotted paths into records: `meta.title`, `tags.0`. A key that itself holds the dots wins. */

import { isRecord } from '../../base/is.js'
import { didYouMean, nearest } from '../../base/suggest.js'

/** The value at `path`, or `undefined`. */
export function fieldOf(record: unknown, path: string): unknown {
  if (isRecord(record) && Object.hasOwn(record, path)) return record[path]
  let value = record
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value
}

/**
 * Which of the fields that a caller named no record has had so far. A misspelt name would otherwise give `null` for every record, without
 * a word.
 */
export class MissingFields {
  readonly #missing: Set<string>
  readonly #seen = new Set<string>()

  constructor(fields: readonly string[]) {
    this.#missing = new Set(fields)
  }

  /** Takes a record into account. */
  see(record: unknown): void {
    if (this.#missing.size === 0) return
    for (const field of this.#missing) {
      if (fieldOf(record, field) !== undefined) this.#missing.delete(field)
    }
    if (isRecord(record)) for (const name of Object.keys(record)) this.#seen.add(name)
  }

  /** Warns, once for each field that no record had. Call it when all have been read, if there were any. `name`: what messages call the input. */
  warn(name: string): void {
    if (this.#seen.size === 0) return
    for (const field of this.#missing) {
      process.emitWarning(
        `No record of ${name} has the field '${field}'${didYouMean(nearest(field, this.#seen))}`,
        { type: 'MillraceWarning', code: 'MILLRACE_FIELD_MISSING' },
      )
    }
  }
}
