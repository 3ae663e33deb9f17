/** Rows of several vectors each, as the caller sees them: one buffer a batch. Nothing is computed here. */

import type { MillraceError } from '../base/errors.js'
import { brandOf, hasBrand, putBrand } from '../base/foreign.js'
import type { NativeBatch } from '../binding/types.js'
import type { Collector } from './batch.js'
import { gatherRagged, RaggedBatch } from './ragged.js'
import { factsOf, type RowFacts } from './row-batch.js'

/** The values of a batch, before it is one. */
export interface MultiVectorParts extends RowFacts {
  dim: number
  data: Float32Array
  rowOffsets: Uint32Array
}

/** Some rows of multi-vectors: a vector for each token of an input. A failed row has none, or zeros. */
export class MultiVectorBatch extends RaggedBatch<Float32Array[]> {
  /** Dimensions of a vector. */
  readonly dim: number
  /** All vectors of all rows, row-major. */
  readonly data: Float32Array

  /** @internal */
  constructor(parts: MultiVectorParts) {
    super(parts, parts.rowOffsets)
    this.dim = parts.dim
    this.data = parts.data
  }

  protected override value(i: number): Float32Array[] {
    const { from, to } = this.span(i)
    return Array.from({ length: to - from }, (_, k) =>
      this.data.subarray((from + k) * this.dim, (from + k + 1) * this.dim),
    )
  }
}

const BRAND = brandOf('MultiVectorBatch')
putBrand(MultiVectorBatch, BRAND)

/** A batch of this copy of the package or of another. */
export function isMultiVectorBatch(value: unknown): value is MultiVectorBatch {
  return hasBrand(value, BRAND)
}

/** The public batch of a native one; see {@link factsOf}. */
export function multiVectorFromNative(
  native: NativeBatch,
  inputErrors: Map<number, MillraceError>,
): MultiVectorBatch {
  return new MultiVectorBatch({
    ...factsOf(native, inputErrors),
    dim: native.dim,
    data: native.data as Float32Array,
    rowOffsets: native.rowOffsets ?? new Uint32Array(1),
  })
}

/** Many batches as one, for `toMatrix`. */
export class MultiVectorMatrix implements Collector<MultiVectorBatch> {
  readonly #batches: MultiVectorBatch[] = []
  readonly #dim: number

  /** `dim` is what a vector has when there is no row to tell it. */
  constructor(dim: number) {
    this.#dim = dim
  }

  add(batch: MultiVectorBatch): void {
    this.#batches.push(batch)
  }

  finish(): MultiVectorBatch {
    const { facts, rowOffsets, places } = gatherRagged(this.#batches)
    const dim = this.#batches.find((batch) => batch.data.length > 0)?.dim ?? this.#dim
    const data = new Float32Array((rowOffsets.at(-1) ?? 0) * dim)
    for (const { batch, from, to, at } of places)
      data.set(batch.data.subarray(from * dim, to * dim), at * dim)
    return new MultiVectorBatch({ ...facts, dim, data, rowOffsets })
  }
}
