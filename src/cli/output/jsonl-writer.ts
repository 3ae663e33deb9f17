/** Rows of any family as JSON lines. What a row's values are called is the family's. */

import { toJsonText } from '../../pipeline/sources/json.js'
import type { Batch, RowRecord, RowWriter } from '../running/batch.js'
import type { Destination } from './destination.js'

/** Names that a kept field cannot have. */
export const RESERVED_FIELDS: readonly string[] = [
  'index',
  'tokens',
  'truncated',
  'scale',
  'error',
  'embedding',
  'indices',
  'values',
  'score',
]

/** Characters of one write: lines of long rows are not gathered to more. */
const WRITE_CHARACTERS = 1024 * 1024

/** What a family writes of row `i`, which did not fail. */
export type RowFields<B extends Batch> = (batch: B, i: number) => object

/** A JSON record a line. A failed row has `error` instead of its values. */
export class JsonlWriter<B extends Batch> implements RowWriter<B> {
  readonly #to: Destination
  readonly #fields: RowFields<B>

  constructor(to: Destination, fields: RowFields<B>) {
    this.#to = to
    this.#fields = fields
  }

  async write(batch: B, records: readonly RowRecord[]): Promise<void> {
    let lines = ''
    for (let i = 0; i < batch.length; i++) {
      lines += `${toJsonText(recordOf(batch, i, records[i], this.#fields))}\n`
      if (lines.length < WRITE_CHARACTERS) continue
      await this.#to.write(lines)
      lines = ''
    }
    if (lines !== '') await this.#to.write(lines)
  }

  async finish(): Promise<void> {}
}

/** The record of row `i`. */
export function recordOf<B extends Batch>(
  batch: B,
  i: number,
  record: RowRecord | undefined,
  fields: RowFields<B>,
): object {
  const index = batch.indexOf(i)
  const kept = record?.kept
  const error = record?.problem ?? batch.errors.get(index)
  if (error !== undefined) return { index, ...kept, error: { code: error.code, message: error.message } }
  return { index, ...kept, ...fields(batch, i) }
}

/** What is told of a text beside its values. */
export function textFacts(batch: Batch, i: number): { tokens: number; truncated: boolean } {
  return { tokens: batch.tokens[i] ?? 0, truncated: batch.truncated[i] === 1 }
}
