/** What goes from a model to a writer, whatever the family. */

import type { DenseBatch, DType, MultiVectorBatch, ScoreBatch, SparseBatch } from '../../../index.js'
import type { InputRecord } from '../input/records.js'

/** Some rows of any family. */
export type Batch = DenseBatch<DType> | SparseBatch | MultiVectorBatch | ScoreBatch

/** A record under way; its item went into the model. */
export type RowRecord = Omit<InputRecord<unknown>, 'item'>

/** Takes batches in input order with the records of their rows, then `finish` once. */
export interface RowWriter<B extends Batch = Batch> {
  write(batch: B, records: readonly RowRecord[]): Promise<void>
  /** Completes the content; committing the destination is the caller's. */
  finish(): Promise<void>
}
