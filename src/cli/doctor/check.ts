/** A line of the doctor's report. */

import { isError } from '../../base/foreign.js'

/** `warn`: it works, but not as well as it could. */
export type Status = 'ok' | 'warn' | 'fail'

/** What was looked at, how it is, and what to do. */
export interface Check {
  name: string
  status: Status
  /** What was found. */
  detail: string
  /** What to do; with `warn` and `fail` where something can be done. */
  remedy?: string
  /** The same for programs. */
  data?: Record<string, unknown>
}

/** The failed check of an error. */
export function failed(name: string, error: unknown): Check {
  if (!isError(error)) return { name, status: 'fail', detail: String(error) }
  const code = 'code' in error ? { code: error.code } : {}
  return {
    name,
    status: 'fail',
    detail: `${'code' in error ? `${error.code}: ` : ''}${error.message}`,
    data: code,
  }
}
