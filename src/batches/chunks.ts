/** Texts with a vector for each of their chunks, as the caller sees them. Nothing is computed here. */

import type { MillraceError } from '../base/errors.js'
import type { NativeBatch } from '../binding/types.js'
import { type DType, isLeveled } from '../formats/dtype.js'
import type { Collector } from './batch.js'
import type { VectorOf } from './dense.js'
import { valuesOf } from './dense-matrix.js'
import { gatherRagged, RaggedBatch } from './ragged.js'
import { factsOf, type RowFacts } from './row-batch.js'

/** A part of a text and its vector. */
export interface EmbeddedChunk<D extends DType = 'float32'> {
  vector: VectorOf<D>
  /** Where in the text it begins, in UTF-16 code units: `text.slice(start, end)` is the chunk. */
  start: number
  end: number
  /** Tokens that were embedded, prompt and special tokens included. */
  tokens: number
  /** What the vector's values are multiplied by; `int8` and `uint8` only. */
  scale?: number
}

/** The values of a batch, before it is one. */
export interface ChunkParts<D extends DType> extends RowFacts {
  dim: number
  dtype: D
  data: VectorOf<D>
  rowOffsets: Uint32Array
  starts: Uint32Array
  ends: Uint32Array
  chunkTokens: Uint32Array
  scales?: Float32Array
}

/** Some texts, each with the vectors of its chunks in order. `tokens` of a text are those of its chunks together. */
export class ChunkBatch<D extends DType = 'float32'> extends RaggedBatch<EmbeddedChunk<D>[]> {
  /** Values of a vector: its dimensions, or in the binary formats its bytes, eight dimensions each. */
  readonly dim: number
  /** Format of the values. */
  readonly dtype: D
  /** The vectors of all chunks of all texts, row-major. */
  readonly data: VectorOf<D>
  /** Where each chunk begins in its text, in UTF-16 code units. */
  readonly starts: Uint32Array
  /** Where it ends, likewise. */
  readonly ends: Uint32Array
  /** Tokens of each chunk. */
  readonly chunkTokens: Uint32Array
  /** What each vector's values are multiplied by; `int8` and `uint8` only. */
  readonly scales?: Float32Array

  /** @internal */
  constructor(parts: ChunkParts<D>) {
    super(parts, parts.rowOffsets)
    this.dim = parts.dim
    this.dtype = parts.dtype
    this.data = parts.data
    this.starts = parts.starts
    this.ends = parts.ends
    this.chunkTokens = parts.chunkTokens
    if (parts.scales !== undefined) this.scales = parts.scales
  }

  protected override value(i: number): EmbeddedChunk<D>[] {
    const { from, to } = this.span(i)
    return Array.from({ length: to - from }, (_, k) => this.#chunk(from + k))
  }

  #chunk(at: number): EmbeddedChunk<D> {
    const scale = this.scales?.[at]
    return {
      vector: this.data.subarray(at * this.dim, (at + 1) * this.dim) as VectorOf<D>,
      start: this.starts[at] as number,
      end: this.ends[at] as number,
      tokens: this.chunkTokens[at] as number,
      ...(scale !== undefined && { scale }),
    }
  }
}

/** The public batch of a native one; see {@link factsOf}. */
export function chunksFromNative<D extends DType>(
  native: NativeBatch,
  inputErrors: Map<number, MillraceError>,
): ChunkBatch<D> {
  const none = new Uint32Array()
  const { dim, dtype, data, scales, rowOffsets, starts, ends, chunkTokens } = native
  return new ChunkBatch({
    ...factsOf(native, inputErrors),
    dim,
    dtype: dtype as D,
    data: data as VectorOf<D>,
    rowOffsets: rowOffsets ?? new Uint32Array(1),
    starts: starts ?? none,
    ends: ends ?? none,
    chunkTokens: chunkTokens ?? none,
    ...(scales !== undefined && { scales }),
  })
}

/** Many batches as one, for `toMatrix`. */
export class ChunkMatrix<D extends DType> implements Collector<ChunkBatch<D>> {
  readonly #batches: ChunkBatch<D>[] = []
  readonly #dtype: D
  readonly #dim: number

  /** `dim` is what a vector has when there is no chunk to tell it. */
  constructor(dtype: D, dim: number) {
    this.#dtype = dtype
    this.#dim = dim
  }

  add(batch: ChunkBatch<D>): void {
    this.#batches.push(batch)
  }

  finish(): ChunkBatch<D> {
    const { facts, rowOffsets, places } = gatherRagged(this.#batches)
    const dim = this.#batches.find((batch) => batch.data.length > 0)?.dim ?? this.#dim
    const count = rowOffsets.at(-1) ?? 0
    const data = valuesOf(this.#dtype, count * dim)
    const [starts, ends, chunkTokens] = [0, 1, 2].map(() => new Uint32Array(count)) as [
      Uint32Array,
      Uint32Array,
      Uint32Array,
    ]
    const scales = isLeveled(this.#dtype) ? new Float32Array(count) : undefined
    for (const { batch, from, to, at } of places) {
      data.set(batch.data.subarray(from * dim, to * dim), at * dim)
      starts.set(batch.starts.subarray(from, to), at)
      ends.set(batch.ends.subarray(from, to), at)
      chunkTokens.set(batch.chunkTokens.subarray(from, to), at)
      if (batch.scales !== undefined) scales?.set(batch.scales.subarray(from, to), at)
    }
    return new ChunkBatch<D>({
      ...facts,
      dim,
      dtype: this.#dtype,
      data,
      rowOffsets,
      starts,
      ends,
      chunkTokens,
      ...(scales !== undefined && { scales }),
    })
  }
}
