/** The .npz format: a zip archive of .npy files. Its arrays are whole before it is written; they are read piece by piece. */

import { once } from 'node:events'
import { Readable } from 'node:stream'
import { ZipFile } from 'yazl'
import { type NpyDescr, npyHeader } from '../../pipeline/sinks/npy.js'
import type { Destination } from './destination.js'
import type { Scratch } from './scratch.js'

/** One array of an archive. */
export interface NpzArray {
  /** Without `.npy`. */
  name: string
  descr: NpyDescr
  shape: readonly number[]
  values: Scratch | Buffer
}

/** The earliest time that the format has, as NumPy writes it: the same values give the same bytes. */
const MTIME = new Date(1980, 0, 1)

/** Writes a whole archive. Values are stored as they are: compressing vectors gains little and takes long. */
export async function writeNpz(to: Destination, arrays: readonly NpzArray[]): Promise<void> {
  const zip = new ZipFile()
  for (const { name, descr, shape, values } of arrays) {
    const header = npyHeader(descr, shape)
    const size = header.length + (Buffer.isBuffer(values) ? values.length : values.size)
    const options = { compress: false, size, mtime: MTIME, forceDosTimestamp: true }
    zip.addReadStream(Readable.from(bytesOf(header, values)), `${name}.npy`, options)
  }
  zip.end()
  const failed = once(zip, 'error').then(([error]) => Promise.reject(error))
  await Promise.race([drain(zip.outputStream, to), failed])
}

async function drain(chunks: AsyncIterable<string | Buffer>, to: Destination): Promise<void> {
  for await (const chunk of chunks) await to.write(chunk)
}

async function* bytesOf(header: Buffer, values: Scratch | Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield header
  if (!Buffer.isBuffer(values)) yield* values.read()
  else if (values.length > 0) yield values
}
