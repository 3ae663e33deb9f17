/** Vectors kept in the addon for exact search, in any format. What is found and how is in `search.ts`. */

import { invalidOption, unwrap } from '../base/errors.js'
import { brandOf, hasBrand, isArrayOf, putBrand } from '../base/foreign.js'
import { loadAddon } from '../binding/load.js'
import type { NativeError, NativeVectorIndex } from '../binding/types.js'
import { type DType, rowElements } from '../formats/dtype.js'
import { positiveInteger } from '../options/check.js'
import { checkRows, parseQuantizeOptions, type QuantizeOptions } from './quantize.js'
import type { QuantizationRanges } from './ranges.js'
import { inBlocks, type VectorRows, vectorCount } from './vectors.js'

/** Options of a {@link VectorIndex}: its format. */
export interface VectorIndexOptions<D extends DType = DType> extends QuantizeOptions<D> {}

/**
 * Vectors for exact search. Its memory is that of the format (ubinary: a bit a dimension) and lies outside of JavaScript's heap;
 * searches run on threads of their own and copy nothing.
 *
 * @example
 * const index = new VectorIndex(384, { dtype: 'ubinary' })
 * for await (const batch of model.embed(texts)) await index.add(batch.data)
 * const [query] = await model.queryEmbed('resize a partition').toArray()
 * const hits = await searchBinary(query, index, { limit: 10 })
 */
export class VectorIndex<const D extends DType = DType> {
  /** Dimensions of the vectors. */
  readonly dim: number
  /** Format they are kept in. */
  readonly dtype: D
  /** What levels of int8 and uint8 stand for, if it was given. */
  readonly ranges?: QuantizationRanges
  readonly #native: NativeVectorIndex
  /** The addition under way: they are made one after the other, in the order of the calls. */
  #turn: Promise<unknown> = Promise.resolve()

  /**
   * An index without vectors.
   *
   * @throws MillraceError INVALID_OPTION.
   */
  constructor(dim: number, options: VectorIndexOptions<D>) {
    this.dim = positiveInteger('dim', dim)
    const { dtype, ranges } = parseQuantizeOptions('VectorIndex', options, dim)
    this.dtype = dtype as D
    if (ranges !== undefined) this.ranges = ranges
    this.#native = unwrap(loadAddon().addon.createVectorIndex(dim, dtype, ranges))
  }

  /** Vectors that are searched; they have the numbers 0 to `length - 1`, in the order they were added. */
  get length(): number {
    return this.#native.length()
  }

  /** Bytes of their values and scales. */
  get bytes(): number {
    return this.#native.bytes()
  }

  /**
   * Adds vectors: float32, which are quantised, or rows in the index's format (of {@link quantize} or a batch of `embed`). All are
   * searched when it resolves, or none if it rejects. Works off the event loop; do not change the array until it resolves.
   *
   * @throws MillraceError INPUT_INVALID for values that do not make whole rows of `dim` dimensions, or, with its row as `index`, a
   * value that is not finite; INVALID_OPTION for rows of another format or other ranges.
   */
  async add(vectors: Float32Array | VectorRows<D>): Promise<void> {
    const work = isArrayOf('Float32Array', vectors) ? this.#floats(vectors) : this.#rows(vectors)
    const added = this.#turn.then(() => this.#append(work))
    this.#turn = added.catch(() => {})
    await added
  }

  /** Removes all vectors and frees their memory, after the additions under way. */
  async clear(): Promise<void> {
    const cleared = this.#turn.then(() => this.#native.clear())
    this.#turn = cleared
    await cleared
  }

  /** @internal */
  get native(): NativeVectorIndex {
    return this.#native
  }

  async #append({ rows, rowBytes, append }: Addition): Promise<void> {
    try {
      await inBlocks(rows, rowBytes, append, () => {})
      this.#native.commit()
    } catch (error) {
      this.#native.rollback()
      throw error
    }
  }

  #floats(vectors: Float32Array): Addition {
    const { dim } = this
    return {
      rows: vectorCount('vectors', vectors, dim),
      rowBytes: dim * 4,
      append: (from, to) => this.#native.append(vectors.subarray(from * dim, to * dim)),
    }
  }

  #rows(vectors: VectorRows<D>): Addition {
    const rows = checkRows('vectors', vectors, this.dim)
    const { dtype, data, scales, ranges } = vectors
    if (dtype !== this.dtype) throw invalidOption('vectors.dtype', `'${this.dtype}'`, dtype)
    if (ranges === undefined ? this.ranges !== undefined : this.ranges?.equals(ranges) !== true) {
      throw invalidOption('vectors.ranges', this.ranges === undefined ? 'none' : "the index's ranges", ranges)
    }
    const width = rowElements(dtype, this.dim)
    return {
      rows,
      rowBytes: width * data.BYTES_PER_ELEMENT,
      append: (from, to) =>
        this.#native.appendQuantized(data.subarray(from * width, to * width), scales?.subarray(from, to)),
    }
  }
}

const BRAND = brandOf('VectorIndex')
putBrand(VectorIndex, BRAND)

/** An index of this copy of the package or of another: both load the one addon of the process, so either searches the other's. */
export function isVectorIndex(value: unknown): value is VectorIndex {
  return hasBrand(value, BRAND)
}

/** What an addition does, checked. */
interface Addition {
  rows: number
  rowBytes: number
  append: (from: number, to: number) => Promise<null | NativeError>
}
