/** The .npy format (NumPy's NEP 1): writing and reading its header. The rows themselves are plain little-endian values. */

import { MillraceError } from '../../base/errors.js'
import type { DType } from '../../formats/dtype.js'

/**
 * Bytes of a header we write. The row count is known only at the end, so the header has one size for every count: two
 * times the alignment of 64 that the format asks for holds the longest dictionary.
 */
export const NPY_HEADER_BYTES = 128

const MAGIC = Buffer.from('\u0093NUMPY', 'latin1')

/** The values of each format of dense vectors. */
export const NPY_DESCR: Readonly<Record<DType, NpyDescr>> = {
  float32: '<f4',
  float16: '<f2',
  int8: '|i1',
  uint8: '|u1',
  binary: '|i1',
  ubinary: '|u1',
}

/** How NumPy names the values: byte order, kind, bytes. */
export type NpyDescr = '<f4' | '<f2' | '|i1' | '|u1' | '<u4' | '<i8' | '|S3'

/** A matrix in a file. */
export interface NpyHeader {
  descr: string
  rows: number
  width: number
  /** Where the values begin. */
  offset: number
}

/** A header of exactly {@link NPY_HEADER_BYTES}. `shape` has up to two sizes. */
export function npyHeader(descr: NpyDescr, shape: readonly number[]): Buffer {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`
  const prefix = MAGIC.length + 4
  const header = Buffer.alloc(NPY_HEADER_BYTES, ' ')
  MAGIC.copy(header)
  header.writeUInt8(1, 6) // version 1.0
  header.writeUInt8(0, 7)
  header.writeUInt16LE(NPY_HEADER_BYTES - prefix, 8)
  header.write(dictionary, prefix, 'latin1')
  header.write('\n', NPY_HEADER_BYTES - 1, 'latin1')
  return header
}

/** How many bytes from the start hold the header; `start` needs 12 bytes. INPUT_INVALID when it is no .npy file. */
export function npyHeaderLength(name: string, start: Buffer): number {
  if (start.length < 12 || !start.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new MillraceError('INPUT_INVALID', `${name} is no .npy file`)
  }
  // Version 1 has 2 bytes for the length, versions 2 and 3 have 4.
  return start[6] === 1 ? 10 + start.readUInt16LE(8) : 12 + start.readUInt32LE(8)
}

/** Reads a whole header. INPUT_INVALID unless it is a matrix in C order. */
export function parseNpyHeader(name: string, header: Buffer): NpyHeader {
  const dictionary = header.toString('latin1', header[6] === 1 ? 10 : 12)
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(dictionary)?.[1]
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(dictionary)?.[1]
  const shape = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(dictionary)?.[1]
  if (descr === undefined || fortran === undefined || shape === undefined) {
    throw new MillraceError('INPUT_INVALID', `${name} has a header that is not understood`)
  }
  const sizes = shape.split(',').filter((size) => size.trim() !== '')
  if (sizes.length !== 2 || fortran === 'True') {
    const found = `shape (${shape})${fortran === 'True' ? ' in Fortran order' : ''}`
    throw new MillraceError('INPUT_INVALID', `Expected a matrix in C order in ${name} but received ${found}`)
  }
  return { descr, rows: Number(sizes[0]), width: Number(sizes[1]), offset: header.length }
}
