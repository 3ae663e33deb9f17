/** Finished rows of a call until they are taken, in the order of their inputs or as they come. */

import { isBytes } from '../base/foreign.js'
import type { NativeError } from '../binding/types.js'
import type { Row, Taken } from './assemble.js'

/** Rows that were finished and not yet taken. */
export class FinishedRows {
  readonly #inOrder: boolean
  #rows: (Row | undefined)[] = []
  /** Input position of each row, where they come as completed. */
  #positions: number[] = []
  /** Rows at the front without a gap. */
  #ready = 0
  #taken = 0
  /** Failed rows among those held: while there are none, nobody looks for one. */
  #failed = 0

  constructor(order: 'input' | 'completion') {
    this.#inOrder = order === 'input'
  }

  /** Rows that could be taken now. */
  get ready(): number {
    return this.#ready
  }

  /** How many were taken. */
  get taken(): number {
    return this.#taken
  }

  insert(index: number, row: Row): void {
    if (!isBytes(row)) this.#failed++
    if (!this.#inOrder) {
      this.#positions.push(index)
      this.#ready = this.#rows.push(row)
      return
    }
    const place = index - this.#taken
    // Filled up, so that the array stays dense.
    while (this.#rows.length < place) this.#rows.push(undefined)
    this.#rows[place] = row
    while (this.#rows[this.#ready] !== undefined) this.#ready++
  }

  /** The first failed row among the ready ones and how many precede it. */
  firstFailed(): { at: number; error: NativeError } | undefined {
    if (this.#failed === 0) return undefined
    for (let at = 0; at < this.#ready; at++) {
      const row = this.#rows[at]
      if (row !== undefined && !isBytes(row)) return { at, error: row }
    }
    return undefined
  }

  /** Takes the first `count` ready rows. */
  take(count: number): Taken {
    const rows = this.#rows.splice(0, count) as Row[]
    const offset = this.#taken
    this.#taken += count
    this.#ready -= count
    if (this.#failed > 0) this.#failed -= rows.filter((row) => !isBytes(row)).length
    if (this.#inOrder) return { offset, rows }
    return { offset, rows, positions: Float64Array.from(this.#positions.splice(0, count)) }
  }

  clear(): void {
    this.#rows = []
    this.#positions = []
    this.#ready = 0
    this.#failed = 0
  }
}
