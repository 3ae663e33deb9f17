/** A second reader of .npy, written from the format's description and strict, to judge what is written. */

import { expect } from 'vitest'

export interface Npy {
  descr: string
  shape: number[]
  data: Buffer
}

export function readNpy(file: Buffer): Npy {
  expect(file.subarray(0, 8)).toEqual(Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]))
  const length = file.readUInt16LE(8)
  expect((10 + length) % 64).toBe(0)
  const header = file.toString('latin1', 10, 10 + length)
  const found = /^\{'descr': '([^']+)', 'fortran_order': False, 'shape': \((\d+), (\d+)\), \} *\n$/.exec(
    header,
  )
  expect(found, header).not.toBeNull()
  const [, descr = '', rows, width] = found ?? []
  const shape = [Number(rows), Number(width)]
  const data = file.subarray(10 + length)
  expect(data.length).toBe(Number(rows) * Number(width) * Number(descr.at(-1)))
  return { descr, shape, data }
}

/** The values as float32. */
export function floats({ data }: Npy): Float32Array {
  return new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length))
}
