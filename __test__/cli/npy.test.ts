/** The header of .npy files, written and read. */
import { describe, expect, it } from 'vitest'
import { NPY_HEADER_BYTES, npyHeader, npyHeaderLength, parseNpyHeader } from '../../src/pipeline/sinks/npy.js'
import { readNpy } from './npy-reader.js'

describe('a .npy header', () => {
  it.each([0, 1, 12_345, Number.MAX_SAFE_INTEGER])('has one size, whatever the rows: %s', (rows) => {
    const header = npyHeader('<f4', [rows, 4096])
    expect(header).toHaveLength(NPY_HEADER_BYTES)
    expect(header.at(-1)).toBe(0x0a)
    expect(parseNpyHeader('x', header)).toEqual({ descr: '<f4', rows, width: 4096, offset: NPY_HEADER_BYTES })
  })

  it('is what the format describes', () => {
    const file = Buffer.concat([npyHeader('<f2', [2, 3]), Buffer.alloc(12)])
    expect(readNpy(file)).toMatchObject({ descr: '<f2', shape: [2, 3] })
  })

  it('of version 2 is read too', () => {
    const dictionary = `${"{'descr': '<f4', 'fortran_order': False, 'shape': (7, 5), }".padEnd(115)}\n`
    const header = Buffer.alloc(12 + dictionary.length)
    header.write('\u0093NUMPY\u0002\u0000', 0, 'latin1')
    header.writeUInt32LE(dictionary.length, 8)
    header.write(dictionary, 12, 'latin1')
    expect(npyHeaderLength('x', header)).toBe(header.length)
    expect(parseNpyHeader('x', header)).toEqual({ descr: '<f4', rows: 7, width: 5, offset: header.length })
  })

  it.each([
    ['no .npy file', Buffer.from('{"embedding":[1]}')],
    ['no .npy file', Buffer.from('\u0093NUM', 'latin1')],
  ])('refuses: %s', (message, bytes) => {
    expect(() => npyHeaderLength('x', bytes)).toThrow(message)
  })

  it.each([
    ['matrix in C order', '(3,)', 'False'],
    ['matrix in C order', '(3, 4)', 'True'],
    ['not understood', 'None', 'False'],
  ])('refuses: %s, shape %s', (message, shape, fortran) => {
    const dictionary = `{'descr': '<f4', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`
    const header = Buffer.concat([npyHeader('<f4', [1, 1]).subarray(0, 10), Buffer.from(dictionary)])
    expect(() => parseNpyHeader('x', header)).toThrow(message)
  })
})
