/** Ranges of dimensions, for int8 and uint8 whose levels mean the same in every vector: measured, kept as JSON. */

import { invalidOption, MillraceError } from '../base/errors.js'
import { brandOf, hasBrand, putBrand } from '../base/foreign.js'
import { isRecord } from '../base/is.js'
import { loadAddon } from '../binding/load.js'
import { float32Array, inBlocks, vectorCount } from './vectors.js'

/** {@link QuantizationRanges} as JSON. */
export interface QuantizationRangesJson {
  min: number[]
  max: number[]
}

/**
 * The least and greatest value of each dimension. Quantise all vectors that are compared with the same ranges.
 *
 * @example
 * const ranges = await calibrate(sample, 384)
 * await writeFile('ranges.json', JSON.stringify(ranges))
 * const same = QuantizationRanges.fromJSON(JSON.parse(await readFile('ranges.json', 'utf8')))
 */
export class QuantizationRanges {
  /** Least value of each dimension. */
  readonly min: Float32Array
  /** Greatest value of each dimension. */
  readonly max: Float32Array

  /**
   * Both arrays are copied.
   *
   * @throws MillraceError INVALID_OPTION unless both have as many values, at least one, all finite, no minimum is above its
   * maximum, and no difference is beyond float32.
   */
  constructor(min: Float32Array, max: Float32Array) {
    this.min = float32Array('min', min).slice()
    this.max = float32Array('max', max).slice()
    if (min.length === 0 || min.length !== max.length) {
      throw invalidOption('max', `${min.length} values, as many as of min and at least one`, [...max])
    }
    for (const [i, least] of this.min.entries()) {
      const width = Math.fround((this.max[i] as number) - least)
      if (!(width >= 0 && width < Number.POSITIVE_INFINITY)) {
        throw invalidOption(`max[${i}]`, `finite number from min[${i}] = ${least}`, this.max[i])
      }
    }
  }

  /** Dimensions. */
  get dim(): number {
    return this.min.length
  }

  /** Numbers that give exactly these ranges back. */
  toJSON(): QuantizationRangesJson {
    return { min: [...this.min], max: [...this.max] }
  }

  /**
   * Ranges of what `toJSON` made.
   *
   * @throws MillraceError INVALID_OPTION for anything else.
   */
  static fromJSON(json: unknown): QuantizationRanges {
    const { min, max } = isRecord(json) ? json : {}
    return new QuantizationRanges(floats('min', min), floats('max', max))
  }

  /** Whether levels of both mean the same. */
  equals(other: QuantizationRanges): boolean {
    const same = (a: Float32Array, b: Float32Array) => a.length === b.length && a.every((x, i) => x === b[i])
    return same(this.min, other.min) && same(this.max, other.max)
  }
}

const BRAND = brandOf('QuantizationRanges')
putBrand(QuantizationRanges, BRAND)

/** Ranges of this copy of the package or of another. */
export function isQuantizationRanges(value: unknown): value is QuantizationRanges {
  return hasBrand(value, BRAND)
}

/**
 * The ranges of a sample: `rows × dim` values, row-major, at least one row. Some thousands of vectors of the kind that is
 * quantised later give good ranges; a value outside gets the level of the nearer end. Works off the event loop; do not change the
 * array until it resolves.
 *
 * @throws MillraceError INPUT_INVALID for no rows, values that do not make whole rows, or, with its row as `index`, a value
 * that is not finite; INVALID_OPTION for other arguments.
 */
export async function calibrate(sample: Float32Array, dim: number): Promise<QuantizationRanges> {
  const rows = vectorCount('sample', sample, dim)
  if (rows === 0) throw new MillraceError('INPUT_INVALID', 'Expected at least one vector for sample')
  const min = new Float32Array(dim).fill(Number.POSITIVE_INFINITY)
  const max = new Float32Array(dim).fill(Number.NEGATIVE_INFINITY)
  const { addon } = loadAddon()
  await inBlocks(
    rows,
    dim * 4,
    (from, to) => addon.rangesOf(sample.subarray(from * dim, to * dim), dim),
    (found) => {
      for (let i = 0; i < dim; i++) {
        min[i] = Math.min(min[i] as number, found.min[i] as number)
        max[i] = Math.max(max[i] as number, found.max[i] as number)
      }
    },
  )
  return new QuantizationRanges(min, max)
}

function floats(name: string, value: unknown): Float32Array {
  if (!Array.isArray(value) || value.some((x) => typeof x !== 'number')) {
    throw invalidOption(name, 'array of numbers', value)
  }
  return Float32Array.from(value as number[])
}
