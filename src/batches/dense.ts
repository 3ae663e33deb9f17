/** Dense rows as the caller sees them: one buffer a batch, rows as views of it. Nothing is computed here. */

import type { MillraceError } from '../base/errors.js'
import type { NativeBatch } from '../binding/types.js'
import type { DType } from '../formats/dtype.js'
import { factsOf, RowBatch, type RowFacts } from './row-batch.js'

interface Vectors {
  float32: Float32Array
  float16: Uint16Array
  int8: Int8Array
  uint8: Uint8Array
  binary: Int8Array
  ubinary: Uint8Array
}

/** The typed array of a format. `float16` is raw IEEE 754 half-precision bits; see {@link DType}. */
export type VectorOf<D extends DType> = Vectors[D]

/** The values of a batch, before it is one. */
export interface DenseParts<D extends DType> extends RowFacts {
  dim: number
  dtype: D
  data: VectorOf<D>
  scales?: Float32Array
}

/** Some rows of vectors, one after the other in one buffer. A failed row's place in `data` is zeros. */
export class DenseBatch<D extends DType = 'float32'> extends RowBatch<VectorOf<D>> {
  /** Values of a row: its dimensions, or in the binary formats its bytes, eight dimensions each. */
  readonly dim: number
  /** Format of the values. */
  readonly dtype: D
  /** All rows, row-major: `length × dim` values. */
  readonly data: VectorOf<D>
  /** What each row's values are multiplied by; `int8` and `uint8` only. */
  readonly scales?: Float32Array

  /** @internal */
  constructor(parts: DenseParts<D>) {
    super(parts)
    this.dim = parts.dim
    this.dtype = parts.dtype
    this.data = parts.data
    if (parts.scales !== undefined) this.scales = parts.scales
  }

  protected override value(i: number): VectorOf<D> {
    return this.data.subarray(i * this.dim, (i + 1) * this.dim) as VectorOf<D>
  }
}

/** The public batch of a native one; see {@link factsOf}. */
export function denseFromNative<D extends DType>(
  native: NativeBatch,
  inputErrors: Map<number, MillraceError>,
): DenseBatch<D> {
  const { dim, dtype, data, scales } = native
  return new DenseBatch({
    ...factsOf(native, inputErrors),
    dim,
    dtype: dtype as D,
    data: data as VectorOf<D>,
    ...(scales !== undefined && { scales }),
  })
}
