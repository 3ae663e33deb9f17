/** Tells of failed rows: the first ones by name, the rest by number. */

import { count, say } from '../terminal.js'
import type { Batch, RowRecord } from './batch.js'
import { atPlace } from './feed.js'

/** More would bury what else was said. */
const SHOWN = 5

/** Counts over one run. */
export class Failures {
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Takes the failures of a batch. `records` are those of its rows. */
  add(batch: Batch, records: readonly RowRecord[]): void {
    for (const [index, error] of batch.errors) {
      const record = records[index - batch.offset]
      if (this.#count++ >= SHOWN) continue
      const problem = record?.problem
      const text = problem?.message ?? atPlace(record?.place ?? String(index), error.message)
      say(`millrace: ${problem?.code ?? error.code}: ${text}`)
    }
  }

  /** The closing line, if some were not shown. */
  close(): void {
    if (this.#count > SHOWN) say(`millrace: and ${count(this.#count - SHOWN)} more failed rows`)
  }
}
