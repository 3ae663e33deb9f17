/**
 * Batches whose rows differ in length, and where each piece goes when such batches are put into input order. The pieces are moved
 * by the caller.
 */

import type { MillraceError } from '../base/errors.js'
import { RowBatch, type RowFacts } from './row-batch.js'

/** Some rows of several elements each: vectors, sparse values or chunks, those of all rows one after the other. */
export abstract class RaggedBatch<V> extends RowBatch<V> {
  /** Number of the element with which each row begins, and at last the number of elements: `length + 1` numbers. */
  readonly rowOffsets: Uint32Array

  /** @internal */
  constructor(facts: RowFacts, rowOffsets: Uint32Array) {
    super(facts)
    this.rowOffsets = rowOffsets
  }

  /** Which elements are those of row `i`; `to` is the first that is not. */
  protected span(i: number): { from: number; to: number } {
    return { from: this.rowOffsets[i] ?? 0, to: this.rowOffsets[i + 1] ?? 0 }
  }
}

/** A run of a batch's elements, `from..to`, that goes to element `at` of the whole. */
export interface Place<B> {
  batch: B
  from: number
  to: number
  at: number
}

/** All rows as one: their facts, their offsets, and what goes where. */
export interface Gathered<B> {
  facts: RowFacts
  rowOffsets: Uint32Array
  places: Place<B>[]
}

/** Orders the rows of batches. Lengths must be below 2^32 elements together. */
export function gatherRagged<B extends RaggedBatch<unknown>>(batches: readonly B[]): Gathered<B> {
  const length = batches.reduce((sum, batch) => sum + batch.length, 0)
  const tokens = new Uint32Array(length)
  const truncated = new Uint8Array(length)
  const rowOffsets = new Uint32Array(length + 1)
  const errors = new Map<number, MillraceError>()
  for (const batch of batches) {
    for (let i = 0; i < batch.length; i++) {
      const row = batch.indexOf(i)
      tokens[row] = batch.tokens[i] ?? 0
      truncated[row] = batch.truncated[i] ?? 0
      rowOffsets[row + 1] = (batch.rowOffsets[i + 1] ?? 0) - (batch.rowOffsets[i] ?? 0)
    }
    for (const [index, error] of batch.errors) errors.set(index, error)
  }
  for (let row = 0; row < length; row++)
    rowOffsets[row + 1] = (rowOffsets[row] ?? 0) + (rowOffsets[row + 1] ?? 0)
  return {
    facts: { offset: 0, length, tokens, truncated, errors },
    rowOffsets,
    places: places(batches, rowOffsets),
  }
}

function places<B extends RaggedBatch<unknown>>(batches: readonly B[], rowOffsets: Uint32Array): Place<B>[] {
  const found: Place<B>[] = []
  for (const batch of batches) {
    if (batch.positions === undefined) {
      // Rows in input order lie as they will.
      const [from, to] = [batch.rowOffsets[0] ?? 0, batch.rowOffsets[batch.length] ?? 0]
      found.push({ batch, from, to, at: rowOffsets[batch.offset] ?? 0 })
      continue
    }
    for (let i = 0; i < batch.length; i++) {
      const [from, to] = [batch.rowOffsets[i] ?? 0, batch.rowOffsets[i + 1] ?? 0]
      found.push({ batch, from, to, at: rowOffsets[batch.indexOf(i)] ?? 0 })
    }
  }
  return found
}
