/** Dense rows as the caller sees them: one buffer a batch, rows as views of it. Nothing is computed here. */

import type { NativeBatch } from './binding/types.js'
import type { EmbeddingBatch } from './embedding-stream.js'
import { fromNative, invalidOption, type MillraceError } from './errors.js'
import { isIntegerIn } from './is.js'
import type { DType } from './options/embed.js'

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
export interface DenseParts<D extends DType> {
  offset: number
  length: number
  dim: number
  dtype: D
  data: VectorOf<D>
  tokens: Uint32Array
  truncated: Uint8Array
  scales?: Float32Array
  indices?: Float64Array
  errors: ReadonlyMap<number, MillraceError>
}

/**
 * Some rows of vectors, one after the other in one buffer.
 *
 * The buffer is memory of the native side: it cannot be transferred to a worker (`postMessage` copies it), and a row kept for
 * long keeps its whole batch; `row(i).slice()` is a copy of its own.
 */
export class DenseBatch<D extends DType = 'float32'> implements EmbeddingBatch<VectorOf<D>> {
  readonly offset: number
  readonly length: number
  /** Values of a row: its dimensions, or in the binary formats its bytes, eight dimensions each. */
  readonly dim: number
  /** Format of the values. */
  readonly dtype: D
  /** All rows, row-major: `length × dim` values. */
  readonly data: VectorOf<D>
  /** Tokens of each row, special tokens and prompt included, after truncation; 0 for a failed one. */
  readonly tokens: Uint32Array
  /** 1 where the text was cut at the limit, else 0. */
  readonly truncated: Uint8Array
  /** What each row's values are multiplied by; `int8` and `uint8` only. */
  readonly scales?: Float32Array
  /** Position in the source of each row; `order: 'completion'` only. */
  readonly indices?: Float64Array
  readonly errors: ReadonlyMap<number, MillraceError>

  /** @internal */
  constructor(parts: DenseParts<D>) {
    this.offset = parts.offset
    this.length = parts.length
    this.dim = parts.dim
    this.dtype = parts.dtype
    this.data = parts.data
    this.tokens = parts.tokens
    this.truncated = parts.truncated
    if (parts.scales !== undefined) this.scales = parts.scales
    if (parts.indices !== undefined) this.indices = parts.indices
    this.errors = parts.errors
  }

  /** Position in the source of row `i`. */
  indexOf(i: number): number {
    this.#check(i)
    return this.indices?.[i] ?? this.offset + i
  }

  /**
   * Row `i` of this batch as a view, not a copy.
   *
   * @throws MillraceError the row's own error if it failed (its place in `data` is zeros, which must not pass for a
   * vector); INVALID_OPTION if there is no such row.
   */
  row(i: number): VectorOf<D> {
    const error = this.errors.get(this.indexOf(i))
    if (error !== undefined) throw error
    return this.data.subarray(i * this.dim, (i + 1) * this.dim) as VectorOf<D>
  }

  #check(i: number): void {
    if (!isIntegerIn(i, 0, this.length - 1))
      throw invalidOption('row', `integer from 0 and below ${this.length}`, i)
  }
}

/**
 * The public batch of a native one. `inputErrors` are items that were no text and ran as empty placeholders: theirs
 * are taken out of the map, and the placeholder's row is blanked.
 */
export function denseFromNative<D extends DType>(
  native: NativeBatch,
  inputErrors: Map<number, MillraceError>,
): DenseBatch<D> {
  const { errors: failures, dtype, data, ...rest } = native
  const errors = new Map(failures.map((failure) => [failure.index ?? native.offset, fromNative(failure)]))
  if (inputErrors.size > 0) takeInputErrors(native, inputErrors, errors)
  return new DenseBatch({ ...rest, dtype: dtype as D, data: data as VectorOf<D>, errors })
}

function takeInputErrors(
  native: NativeBatch,
  inputErrors: Map<number, MillraceError>,
  errors: Map<number, MillraceError>,
): void {
  for (let i = 0; i < native.length; i++) {
    const index = native.indices?.[i] ?? native.offset + i
    const error = inputErrors.get(index)
    if (error === undefined) continue
    inputErrors.delete(index)
    errors.set(index, error)
    native.data.fill(0, i * native.dim, (i + 1) * native.dim)
    native.tokens[i] = 0
    native.truncated[i] = 0
    native.scales?.fill(0, i, i + 1)
  }
}
