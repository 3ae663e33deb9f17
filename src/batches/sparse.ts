/** Sparse rows as the caller sees them, in compressed rows (CSR). Nothing is computed here. */

import type { MillraceError } from '../base/errors.js'
import type { NativeBatch } from '../binding/types.js'
import type { Collector } from './batch.js'
import { gatherRagged, RaggedBatch } from './ragged.js'
import { factsOf, type RowFacts } from './row-batch.js'

/** A sparse vector: distinct dimensions, each with its value. */
export interface SparseVector {
  /** Dimensions: ids of a vocabulary in ascending order, or hashes of words in the order of their first appearance. */
  indices: Uint32Array
  /** As many values. */
  values: Float32Array
}

/** The values of a batch, before it is one. */
export interface SparseParts extends RowFacts {
  indices: Uint32Array
  values: Float32Array
  rowOffsets: Uint32Array
}

/** Some sparse rows. A failed row is empty or zeros. */
export class SparseBatch extends RaggedBatch<SparseVector> {
  /** Dimensions of all rows, one after the other. */
  readonly indices: Uint32Array
  /** As many values. */
  readonly values: Float32Array

  /** @internal */
  constructor(parts: SparseParts) {
    super(parts, parts.rowOffsets)
    this.indices = parts.indices
    this.values = parts.values
  }

  protected override value(i: number): SparseVector {
    const { from, to } = this.span(i)
    return { indices: this.indices.subarray(from, to), values: this.values.subarray(from, to) }
  }
}

/** The public batch of a native one; see {@link factsOf}. */
export function sparseFromNative(native: NativeBatch, inputErrors: Map<number, MillraceError>): SparseBatch {
  return new SparseBatch({
    ...factsOf(native, inputErrors),
    indices: native.indices ?? new Uint32Array(),
    values: native.data as Float32Array,
    rowOffsets: native.rowOffsets ?? new Uint32Array(1),
  })
}

/** Many sparse batches as one, for `toMatrix`. */
export class SparseMatrix implements Collector<SparseBatch> {
  readonly #batches: SparseBatch[] = []

  add(batch: SparseBatch): void {
    this.#batches.push(batch)
  }

  finish(): SparseBatch {
    const { facts, rowOffsets, places } = gatherRagged(this.#batches)
    const total = rowOffsets.at(-1) ?? 0
    const indices = new Uint32Array(total)
    const values = new Float32Array(total)
    for (const { batch, from, to, at } of places) {
      indices.set(batch.indices.subarray(from, to), at)
      values.set(batch.values.subarray(from, to), at)
    }
    return new SparseBatch({ ...facts, indices, values, rowOffsets })
  }
}
