/** What the batches of all families have in common, and how batches are put together. */

import type { MillraceError } from '../base/errors.js'

/** What all batches have: some rows of the output. `V` is a row's value. */
export interface EmbeddingBatch<V> {
  /** Position of the first row in the output. */
  readonly offset: number
  /** Rows. */
  readonly length: number
  /** Failed inputs by position in the source; empty unless the call has `errors: 'collect'`. */
  readonly errors: ReadonlyMap<number, MillraceError>
  /** Position in the source of row `i`. */
  indexOf(i: number): number
  /** Value of row `i`; throws the row's error if it failed. */
  row(i: number): V
}

/** Puts batches together for `toMatrix`. */
export interface Collector<B> {
  add(batch: B): void
  finish(): B
}
