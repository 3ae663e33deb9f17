/** Every dtype, `dimensions` and `normalize`, computed here from the float32 rows and compared. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DType, TextEmbedding } from '../../index.js'
import { goldenModel } from '../support/paths.js'
import { texts } from '../support/texts.mjs'
import { cosine, furthest, norm } from '../support/vectors.js'

const TEXTS = [...texts(70, { least: 1, most: 20, seed: 5 })]
const DIM = 40

let model: TextEmbedding
let exact: Float32Array[]

beforeAll(async () => {
  model = await TextEmbedding.create({
    modelPath: goldenModel('custom_both'),
    pooling: 'mean',
    overflow: 'truncate',
  })
  exact = await model.embed(TEXTS).toArray()
})
afterAll(() => model.close())

const ARRAYS: Record<DType, unknown> = {
  float32: Float32Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  binary: Int8Array,
  ubinary: Uint8Array,
}

describe.each(Object.keys(ARRAYS) as DType[])('dtype %s', (dtype) => {
  it('fills its typed array, row by row', async () => {
    const width = dtype.endsWith('binary') ? DIM / 8 : DIM
    let rows = 0
    for await (const batch of model.embed(TEXTS, { dtype, batchSize: 16 })) {
      expect(batch.data).toBeInstanceOf(ARRAYS[dtype])
      expect(batch).toMatchObject({ dtype, dim: width, offset: rows })
      expect(batch.data.length).toBe(batch.length * width)
      for (let i = 0; i < batch.length; i++) expect(batch.row(i).length).toBe(width)
      expect(batch.scales === undefined).toBe(dtype !== 'int8' && dtype !== 'uint8')
      rows += batch.length
    }
    expect(rows).toBe(TEXTS.length)
  })

  it('is the same in a matrix and as a default of the model', async () => {
    const matrix = await model.embed(TEXTS, { dtype, batchSize: 9 }).toMatrix()
    const rows = await model.embed(TEXTS, { dtype }).toArray()
    for (const [i, row] of rows.entries()) expect(matrix.row(i)).toEqual(row)
    const nothing = await model.embed([], { dtype }).toMatrix()
    expect(nothing).toMatchObject({ dtype, dim: matrix.dim, length: 0 })
    expect(nothing.data).toBeInstanceOf(ARRAYS[dtype])
    await using other = await TextEmbedding.create({
      modelPath: goldenModel('custom_both'),
      pooling: 'mean',
      dtype,
    })
    expect(await other.embed(TEXTS.slice(0, 3)).toArray()).toEqual(rows.slice(0, 3))
  })
})

describe('values', () => {
  it('of float16 are the nearest ones', async () => {
    const { data } = await model.embed(TEXTS, { dtype: 'float16' }).toMatrix()
    for (const [i, value] of flat(exact).entries()) {
      const half = fromHalf(data[i] as number)
      // Ten bits of fraction: half a unit in the last place, and the subnormal step near zero.
      expect(Math.abs(half - value)).toBeLessThanOrEqual(Math.max(Math.abs(value) * 2 ** -11, 2 ** -25))
    }
  })

  it.each(['int8', 'uint8'] as const)('of %s times the scale are the vector', async (dtype) => {
    const { data, scales } = await model.embed(TEXTS, { dtype }).toMatrix()
    expect(scales).toHaveLength(TEXTS.length)
    for (const [i, vector] of exact.entries()) {
      const scale = scales?.[i] as number
      const row = Array.from(data.subarray(i * DIM, (i + 1) * DIM))
      // uint8 is int8 moved by 128, so that 128 is zero.
      const restored = row.map((value) => (dtype === 'uint8' ? value - 128 : value) * scale)
      expect(furthest(restored, vector)).toBeLessThanOrEqual(scale * 0.51)
      expect(cosine(restored, vector)).toBeGreaterThan(0.999)
    }
  })

  it('of the binary formats are the signs, eight to a byte, the first dimension highest', async () => {
    const { data: unsigned } = await model.embed(TEXTS, { dtype: 'ubinary' }).toMatrix()
    const { data: signed } = await model.embed(TEXTS, { dtype: 'binary' }).toMatrix()
    const expected = Array.from({ length: unsigned.length }, (_, byte) => {
      let value = 0
      for (let bit = 0; bit < 8; bit++)
        value = value * 2 + ((flat(exact)[byte * 8 + bit] as number) > 0 ? 1 : 0)
      return value
    })
    expect([...unsigned]).toEqual(expected)
    expect([...signed]).toEqual(expected.map((value) => value - 128))
  })
})

describe('dimensions', () => {
  it('cut the vector and normalise it again', async () => {
    for (const dimensions of [1, 7, 24, DIM]) {
      const rows = await model.embed(TEXTS, { dimensions }).toArray()
      for (const [i, row] of rows.entries()) {
        expect(row.length).toBe(dimensions)
        const cut = (exact[i] as Float32Array).subarray(0, dimensions)
        const length = norm(cut)
        expect(
          furthest(
            row,
            cut.map((value) => value / length),
          ),
        ).toBeLessThan(1e-6)
      }
    }
  })

  it('that are no multiple of eight fill the last byte with zeros', async () => {
    const { data, dim } = await model.embed(TEXTS, { dimensions: 11, dtype: 'ubinary' }).toMatrix()
    expect(dim).toBe(2) // bytes of a row
    expect(data.length).toBe(TEXTS.length * 2)
    for (let i = 0; i < TEXTS.length; i++) expect((data[2 * i + 1] as number) & 0b11111).toBe(0)
  })

  it('beyond the model are refused', async () => {
    await expect(model.embed('a', { dimensions: DIM + 1 }).toArray()).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    })
  })
})

describe('normalize', () => {
  it('is a choice of the call, over the model', async () => {
    const raw = await model.embed(TEXTS, { normalize: false }).toArray()
    for (const [i, row] of raw.entries()) {
      expect(Math.abs(norm(row) - 1)).toBeGreaterThan(1e-3)
      expect(cosine(row, exact[i] as Float32Array)).toBeGreaterThan(0.99999)
    }
    await using plain = await TextEmbedding.create({
      modelPath: goldenModel('custom_both'),
      pooling: 'mean',
      normalize: false,
    })
    expect(await plain.embed(TEXTS.slice(0, 2)).toArray()).toEqual(raw.slice(0, 2))
    const normal = await plain.embed(TEXTS.slice(0, 2), { normalize: true }).toArray()
    for (const [i, row] of normal.entries())
      expect(furthest(row, exact[i] as Float32Array)).toBeLessThan(1e-6)
  })
})

function flat(rows: readonly Float32Array[]): number[] {
  return rows.flatMap((row) => [...row])
}

function fromHalf(raw: number): number {
  const sign = raw & 0x8000 ? -1 : 1
  const exponent = (raw >> 10) & 0x1f
  const fraction = raw & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
