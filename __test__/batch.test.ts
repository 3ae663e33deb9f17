/** Batches as views of native memory. */
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../src/base/errors.js'
import { denseFromNative } from '../src/batches/dense.js'
import type { NativeBatch } from '../src/binding/types.js'

function native(over: Partial<NativeBatch> = {}): NativeBatch {
  return {
    offset: 10,
    length: 3,
    dim: 2,
    dtype: 'float32',
    data: Float32Array.of(1, 2, 3, 4, 5, 6),
    tokens: Uint32Array.of(3, 4, 5),
    truncated: Uint8Array.of(0, 1, 0),
    errors: [],
    ...over,
  }
}

describe('a dense batch', () => {
  it('has rows that are views of its data', () => {
    const batch = denseFromNative<'float32'>(native(), new Map())
    expect(Array.from(batch.row(1))).toEqual([3, 4])
    expect(batch.row(1).buffer).toBe(batch.data.buffer)
    batch.data[2] = 9
    expect(batch.row(1)[0]).toBe(9)
    expect([batch.indexOf(0), batch.indexOf(2)]).toEqual([10, 12])
  })

  it('tells the input of each row when they come as completed', () => {
    const batch = denseFromNative(native({ positions: Float64Array.of(4, 0, 7) }), new Map())
    expect([0, 1, 2].map((i) => batch.indexOf(i))).toEqual([4, 0, 7])
  })

  it.each([-1, 3, 0.5, Number.NaN])('has no row %s', (i) => {
    const batch = denseFromNative(native(), new Map())
    expect(() => batch.row(i)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    expect(() => batch.indexOf(i)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })

  it('throws a failed row as its error and leaves the others', () => {
    const errors = [{ code: 'INPUT_TOO_LONG' as const, message: 'long', index: 11 }]
    const batch = denseFromNative<'float32'>(native({ errors }), new Map())
    expect(() => batch.row(1)).toThrow(expect.objectContaining({ code: 'INPUT_TOO_LONG', index: 11 }))
    expect([...batch.errors.keys()]).toEqual([11])
    expect(Array.from(batch.row(2))).toEqual([5, 6])
  })

  it('blanks the placeholder of an item that was no text, and takes its error once', () => {
    const waiting = new Map(
      [11, 99].map((index) => [index, new MillraceError('INPUT_INVALID', 'Expected string', { index })]),
    )
    const batch = denseFromNative(native({ scales: Float32Array.of(1, 2, 3) }), waiting)
    expect(Array.from(batch.data)).toEqual([1, 2, 0, 0, 5, 6])
    expect([batch.tokens[1], batch.truncated[1], batch.scales?.[1]]).toEqual([0, 0, 0])
    expect(batch.errors.get(11)?.code).toBe('INPUT_INVALID')
    expect([...waiting.keys()]).toEqual([99])
  })
})
