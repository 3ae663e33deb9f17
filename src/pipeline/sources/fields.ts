/** Dotted paths into JSON records: `meta.title`, `tags.0`. A key that itself holds the dots wins. */

import { isRecord } from '../../base/is.js'

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
