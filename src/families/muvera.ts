/** MUVERA: a multi-vector as one vector, for indexes that know only those. The encoding is computed in the addon. */

import { MillraceError, unwrap } from '../base/errors.js'
import { isMultiVectorBatch, type MultiVectorBatch } from '../batches/multi-vector.js'
import { loadAddon } from '../binding/load.js'
import type { NativeMuvera } from '../binding/types.js'
import { own } from '../binding/views.js'
import type { Checked, Checks } from '../options/check.js'
import { integer, nonNegativeInteger, parseOptions, positiveInteger } from '../options/check.js'

/** The measures of an encoding. The same ones, and the same seed, make encodings comparable. Defaults are FastEmbed's. */
export interface MuveraOptions {
  /** Hyperplanes; they sort vectors into `2 ** kSim` clusters. @default 5 */
  kSim?: number | undefined
  /** Dimensions that a cluster is projected to, at most those of the vectors. @default 16 */
  dimProj?: number | undefined
  /** How often all is done, with other random numbers. @default 20 */
  rReps?: number | undefined
  /** Seed of the random numbers. @default 42 */
  seed?: number | undefined
}

/** A multi-vector: a row of a late-interaction model. */
export type MultiVector = readonly Float32Array[]

const checks: Checks<MuveraOptions> = {
  kSim: nonNegativeInteger,
  dimProj: positiveInteger,
  rReps: positiveInteger,
  seed: integer(0, Number.MAX_SAFE_INTEGER, 'integer from 0'),
}

/**
 * Encodes multi-vectors as vectors of a fixed length, whose dot product approximates late interaction's score (MUVERA).
 * Documents and queries are encoded differently.
 *
 * @example
 * const muvera = await Muvera.create(128)
 * for await (const batch of model.embed(texts)) index.add(batch.offset, await muvera.processDocuments(batch))
 * const query = await muvera.processQuery((await model.queryEmbed('…').toArray())[0])
 */
export class Muvera {
  /** Values of an encoding: `rReps × 2 ** kSim × dimProj`. */
  readonly embeddingSize: number
  /** Dimensions of the vectors it encodes. */
  readonly dim: number
  readonly #native: NativeMuvera

  private constructor(native: NativeMuvera, dim: number) {
    this.#native = native
    this.dim = dim
    this.embeddingSize = native.encodingLen()
  }

  /**
   * An encoder of vectors of `dim` dimensions.
   *
   * @throws MillraceError INVALID_OPTION.
   */
  static async create(dim: number, options?: MuveraOptions): Promise<Muvera> {
    const measures: Checked<MuveraOptions> = parseOptions<MuveraOptions>('Muvera.create', options, checks)
    positiveInteger('dim', dim)
    const native = unwrap(await loadAddon().addon.createMuvera({ dim, ...measures }))
    return new Muvera(native, dim)
  }

  /** An encoder of the model's vectors. Loads the model if it is not yet. */
  static async fromModel(
    model: { info(): Promise<{ dim?: number }> },
    options?: MuveraOptions,
  ): Promise<Muvera> {
    const { dim } = await model.info()
    if (dim === undefined) {
      throw new MillraceError(
        'INVALID_OPTION',
        'Expected a model that tells its dimensions: use Muvera.create(dim)',
      )
    }
    return Muvera.create(dim, options)
  }

  /**
   * The encoding of a document, `embeddingSize` values.
   *
   * @throws MillraceError INPUT_INVALID for no vectors, other dimensions, values that are not finite.
   */
  async processDocument(vectors: MultiVector): Promise<Float64Array> {
    return this.#encode(flat(vectors, this.dim), Uint32Array.of(0, vectors.length), false)
  }

  /** The encoding of a query, `embeddingSize` values. Throws as `processDocument`. */
  async processQuery(vectors: MultiVector): Promise<Float64Array> {
    return this.#encode(flat(vectors, this.dim), Uint32Array.of(0, vectors.length), true)
  }

  /** The encodings of a batch's documents, row-major, `batch.length × embeddingSize` values; an error names its row. */
  async processDocuments(batch: MultiVectorBatch): Promise<Float64Array> {
    return this.#encodeBatch(batch, false)
  }

  /** The encodings of a batch's queries, as `processDocuments`. */
  async processQueries(batch: MultiVectorBatch): Promise<Float64Array> {
    return this.#encodeBatch(batch, true)
  }

  /** Normals of the hyperplanes, `[rReps, dim, kSim]`. */
  hyperplanes(): Float64Array {
    return own(this.#native.hyperplanes())
  }

  /** Signs of the projections, `[rReps, dim, dimProj]`. */
  projections(): Int8Array {
    return own(this.#native.projections())
  }

  async #encodeBatch(batch: MultiVectorBatch, query: boolean): Promise<Float64Array> {
    if (!isMultiVectorBatch(batch) || (batch.data.length > 0 && batch.dim !== this.dim)) {
      throw new MillraceError('INPUT_INVALID', `Expected a batch of multi-vectors of ${this.dim} dimensions`)
    }
    for (const error of batch.errors.values()) throw error
    return this.#encode(batch.data, batch.rowOffsets, query)
  }

  async #encode(data: Float32Array, rowOffsets: Uint32Array, query: boolean): Promise<Float64Array> {
    return own(unwrap(await this.#native.encode(data, rowOffsets, query)))
  }
}

function flat(vectors: MultiVector, dim: number): Float32Array {
  if (!Array.isArray(vectors) || vectors.some((vector) => vector?.length !== dim)) {
    throw new MillraceError('INPUT_INVALID', `Expected an array of vectors of ${dim} dimensions`)
  }
  const data = new Float32Array(vectors.length * dim)
  for (const [i, vector] of vectors.entries()) data.set(vector, i * dim)
  return data
}
