/** What all batches share: which input a row belongs to, and what failed. The values are each family's own. */

import { fromNative, invalidOption, type MillraceError } from '../base/errors.js'
import { isIntegerIn } from '../base/is.js'
import type { NativeBatch } from '../binding/types.js'
import type { EmbeddingBatch } from './batch.js'

/** What is known of a batch's rows, before it is one. */
export interface RowFacts {
  offset: number
  length: number
  tokens: Uint32Array
  truncated: Uint8Array
  positions?: Float64Array
  errors: ReadonlyMap<number, MillraceError>
}

/**
 * Some rows of an output.
 *
 * Buffers are memory of the native side: they cannot be transferred to a worker (`postMessage` copies them), and a row kept
 * for long keeps its whole batch; a `slice()` is a copy of its own.
 */
export abstract class RowBatch<V> implements EmbeddingBatch<V> {
  readonly offset: number
  readonly length: number
  /** Tokens of each row, special tokens and prompt included, after truncation; 0 for a failed one. */
  readonly tokens: Uint32Array
  /** 1 where the input was cut at the limit, else 0. */
  readonly truncated: Uint8Array
  /** Position in the source of each row; `order: 'completion'` only. */
  readonly positions?: Float64Array
  readonly errors: ReadonlyMap<number, MillraceError>

  /** @internal */
  constructor(facts: RowFacts) {
    this.offset = facts.offset
    this.length = facts.length
    this.tokens = facts.tokens
    this.truncated = facts.truncated
    if (facts.positions !== undefined) this.positions = facts.positions
    this.errors = facts.errors
  }

  /** Position in the source of row `i`. */
  indexOf(i: number): number {
    if (!isIntegerIn(i, 0, this.length - 1)) {
      throw invalidOption('row', `integer from 0 and below ${this.length}`, i)
    }
    return this.positions?.[i] ?? this.offset + i
  }

  /**
   * Value of row `i` of this batch, as views, not copies.
   *
   * @throws MillraceError the row's own error if it failed; INVALID_OPTION if there is no such row.
   */
  row(i: number): V {
    const error = this.errors.get(this.indexOf(i))
    if (error !== undefined) throw error
    return this.value(i)
  }

  /** Value of a row that exists and did not fail. */
  protected abstract value(i: number): V
}

/**
 * The facts of a native batch. `inputErrors` are items that could not be embedded and ran as placeholders: theirs
 * are taken out of the map, and the placeholder's row is blanked.
 */
export function factsOf(native: NativeBatch, inputErrors: Map<number, MillraceError>): RowFacts {
  const { offset, length, tokens, truncated, positions } = native
  const errors = new Map(
    native.errors.map((failure) => [failure.index ?? native.offset, fromNative(failure)]),
  )
  for (let i = 0; i < length && inputErrors.size > 0; i++) {
    const index = positions?.[i] ?? offset + i
    const error = inputErrors.get(index)
    if (error === undefined) continue
    inputErrors.delete(index)
    errors.set(index, error)
    blank(native, i)
  }
  return { offset, length, tokens, truncated, ...(positions !== undefined && { positions }), errors }
}

/** Row `i` belongs to no input. Its place in the data stays, as zeros. */
function blank({ data, dim, rowOffsets, indices, scales, tokens, truncated }: NativeBatch, i: number): void {
  const width = indices === undefined ? dim : 1
  const [from, to] = rowOffsets === undefined ? [i, i + 1] : [rowOffsets[i] ?? 0, rowOffsets[i + 1] ?? 0]
  data.fill(0, from * width, to * width)
  scales?.fill(0, i, i + 1)
  tokens[i] = 0
  truncated[i] = 0
}
