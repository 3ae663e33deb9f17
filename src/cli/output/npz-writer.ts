/**
 * Rows that differ in length as the arrays of a .npz: their elements one after the other, and where each row begins. A
 * failed row has no elements.
 */

import type { MultiVectorBatch, SparseBatch } from '../../../index.js'
import { bytesOf } from '../../base/bytes.js'
import type { NpyDescr } from '../../pipeline/sinks/npy.js'
import type { RowWriter } from '../running/batch.js'
import type { Destination } from './destination.js'
import { type NpzArray, writeNpz } from './npz.js'
import type { Scratch } from './scratch.js'

type Ragged = SparseBatch | MultiVectorBatch

/** An array that grows with each batch. */
interface ElementArray<B extends Ragged> {
  name: string
  descr: NpyDescr
  values(batch: B): Float32Array | Uint32Array
  /** Values of an element, where it is a vector, hence the array a matrix. */
  width?(batch: B): number
}

/** How a family's rows lie in an archive. */
interface NpzLayout<B extends Ragged> {
  arrays: readonly ElementArray<B>[]
  /** Name of the array with where rows begin: 64-bit, one more than rows. */
  offsets: string
  /** What else readers want. */
  others(rows: number): NpzArray[]
}

/** Sparse dimensions are ids or hashes of 32 bits, so that is how wide a matrix is. */
const SPARSE_WIDTH = 2 ** 32

/** As SciPy's `load_npz` reads a CSR matrix. */
export const SPARSE_LAYOUT: NpzLayout<SparseBatch> = {
  arrays: [
    { name: 'data', descr: '<f4', values: ({ values }) => values },
    { name: 'indices', descr: '<u4', values: ({ indices }) => indices },
  ],
  offsets: 'indptr',
  others: (rows) => [
    { name: 'format', descr: '|S3', shape: [], values: Buffer.from('csr') },
    { name: 'shape', descr: '<i8', shape: [2], values: integers([rows, SPARSE_WIDTH]) },
  ],
}

/** All vectors as a matrix, and where each row's begin. */
export const MULTI_VECTOR_LAYOUT: NpzLayout<MultiVectorBatch> = {
  arrays: [{ name: 'data', descr: '<f4', values: ({ data }) => data, width: ({ dim }) => dim }],
  offsets: 'row_offsets',
  others: () => [],
}

/** Gathers the arrays on the disk, because an archive has them one after the other, and writes it in the end. */
export class NpzWriter<B extends Ragged> implements RowWriter<B> {
  readonly #to: Destination
  readonly #layout: NpzLayout<B>
  readonly #arrays: readonly Scratch[]
  readonly #offsets: Scratch
  #width: number
  #rows = 0
  #elements = 0

  private constructor(
    to: Destination,
    layout: NpzLayout<B>,
    arrays: readonly Scratch[],
    offsets: Scratch,
    width: number,
  ) {
    this.#to = to
    this.#layout = layout
    this.#arrays = arrays
    this.#offsets = offsets
    this.#width = width
  }

  /** `width`: of a matrix without rows. */
  static async open<B extends Ragged>(
    to: Destination,
    layout: NpzLayout<B>,
    scratch: (name: string) => Promise<Scratch>,
    width: number,
  ): Promise<NpzWriter<B>> {
    const arrays: Scratch[] = []
    for (const { name } of layout.arrays) arrays.push(await scratch(name))
    const offsets = await scratch(layout.offsets)
    await offsets.write(integers([0]))
    return new NpzWriter(to, layout, arrays, offsets, width)
  }

  async write(batch: B): Promise<void> {
    const spans: [from: number, to: number][] = []
    const ends: number[] = []
    for (let i = 0; i < batch.length; i++) {
      if (!batch.errors.has(batch.indexOf(i))) {
        const [from = 0, to = 0] = batch.rowOffsets.subarray(i, i + 2)
        this.#elements += to - from
        const last = spans.at(-1)
        if (last?.[1] === from) last[1] = to
        else spans.push([from, to])
      }
      ends.push(this.#elements)
    }
    this.#rows += batch.length
    await this.#offsets.write(integers(ends))
    for (const [k, { values, width }] of this.#layout.arrays.entries()) {
      const each = width?.(batch) ?? 1
      if (width !== undefined && spans.length > 0) this.#width = each
      for (const [from, to] of spans) {
        await this.#arrays[k]?.write(bytesOf(values(batch).subarray(from * each, to * each)))
      }
    }
  }

  async finish(): Promise<void> {
    const arrays = this.#layout.arrays.flatMap(({ name, descr, width }, k): NpzArray[] => {
      const values = this.#arrays[k]
      const shape = width === undefined ? [this.#elements] : [this.#elements, this.#width]
      return values === undefined ? [] : [{ name, descr, shape, values }]
    })
    const offsets: NpzArray = {
      name: this.#layout.offsets,
      descr: '<i8',
      shape: [this.#rows + 1],
      values: this.#offsets,
    }
    await writeNpz(this.#to, [...arrays, offsets, ...this.#layout.others(this.#rows)])
  }
}

/** Whole numbers as 64-bit ones. */
function integers(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8)
  values.forEach((value, i) => {
    bytes.writeBigInt64LE(BigInt(value), i * 8)
  })
  return bytes
}
