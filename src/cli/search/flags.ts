/** The options of `millrace search` as values. */

import type { DenseFlags } from '../model-options.js'

/** What commander makes of the options. */
export interface SearchFlags extends DenseFlags {
  index: string
  texts?: string[]
  field?: string
  top: number
  json?: boolean
}
