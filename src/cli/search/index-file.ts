/**
 * What `millrace embed` wrote, read back block by block: .npy, plain float32, or JSON lines. Memory is one block,
 * whatever the size of the file.
 */

import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { MillraceError } from '../../../index.js'
import { describeValue, isRecord } from '../../base/is.js'
import { npyHeaderLength, parseNpyHeader } from '../../pipeline/sinks/npy.js'
import { readBytes } from '../../pipeline/sources/bytes.js'
import { fieldOf } from '../../pipeline/sources/fields.js'
import { readJsonLines } from '../../pipeline/sources/json-lines.js'
import { usageError } from '../exit.js'
import { halfTable } from '../half.js'
import { formatOf } from '../input/records.js'
import { outputFormatOf } from '../output/format.js'

/** Bytes read at once: enough to keep a disk busy, little to hold. */
const BLOCK_BYTES = 1024 * 1024

/** Some rows in order, `rows × dim` values. */
export interface Block {
  first: number
  rows: number
  values: Float32Array
  /** Of each row, where the file holds texts. */
  texts?: (string | undefined)[]
}

/** How values are laid out and turned into numbers. A row of zero bytes stays a row of zeros. */
interface Layout {
  bytes: number
  decode(from: Buffer, to: Float32Array): void
}

const LAYOUTS: Readonly<Record<string, Layout>> = {
  '<f4': {
    bytes: 4,
    decode(from, to) {
      for (let i = 0; i < to.length; i++) to[i] = from.readFloatLE(i * 4)
    },
  },
  '<f2': {
    bytes: 2,
    decode(from, to) {
      const table = halfTable()
      for (let i = 0; i < to.length; i++) to[i] = table[from.readUInt16LE(i * 2)] as number
    },
  },
  '|i1': {
    bytes: 1,
    decode(from, to) {
      for (let i = 0; i < to.length; i++) to[i] = from.readInt8(i)
    },
  },
  '|u1': {
    bytes: 1,
    // Levels stand around 128, and no vector has a level 0, so a row that has one is a failed row.
    decode(from, to) {
      for (let i = 0; i < to.length; i++) to[i] = from[i] === 0 ? 0 : (from[i] as number) - 128
    },
  },
}

/** The rows of the file. `dim` is the query's; another one in the file is INPUT_INVALID. `field`: of the texts in JSON lines. */
export function readIndex(path: string, dim: number, field: string): AsyncGenerator<Block, void, undefined> {
  switch (outputFormatOf(path.replace(/\.gz$/i, ''))) {
    case 'npy':
      return readMatrix(path, dim, npyShape)
    case 'f32':
      return readMatrix(path, dim, rawShape)
    case 'jsonl':
      return readJsonl(path, dim, field)
    case 'npz':
      throw otherFamily(path, 'a .npz holds sparse or late-interaction vectors')
    case undefined:
      throw usageError(`Expected a .npy, .f32 or .jsonl file for --index but received ${path}`)
  }
}

/** Whether the file may hold the texts itself. */
export function holdsTexts(path: string): boolean {
  return formatOf(path) === 'jsonl'
}

function otherFamily(place: string, found: string): MillraceError {
  return new MillraceError(
    'INPUT_INVALID',
    `${place}: ${found}, and millrace search compares dense ones only`,
  )
}

function wrongDim(path: string, found: number, dim: number): MillraceError {
  return new MillraceError(
    'INPUT_INVALID',
    `${path} holds vectors of ${found} values and the model makes ${dim}: search with the --model and --dimensions that made it`,
  )
}

interface Shape {
  layout: Layout
  rows: number
  offset: number
}

async function* readMatrix(
  path: string,
  dim: number,
  shapeOf: (path: string, file: FileHandle, dim: number) => Promise<Shape>,
): AsyncGenerator<Block, void, undefined> {
  const file = await open(path)
  try {
    const { layout, rows, offset } = await shapeOf(path, file, dim)
    const rowBytes = dim * layout.bytes
    const { size } = await file.stat()
    if (size !== offset + rows * rowBytes) {
      const held = Math.floor((size - offset) / rowBytes)
      throw new MillraceError('INPUT_INVALID', `Expected ${rows} rows in ${path} but it holds ${held}`)
    }
    const most = Math.max(1, Math.floor(BLOCK_BYTES / rowBytes))
    const bytes = Buffer.alloc(Math.min(most, Math.max(rows, 1)) * rowBytes)
    for (let first = 0; first < rows; first += most) {
      const length = Math.min(most, rows - first)
      await readFully(path, file, bytes.subarray(0, length * rowBytes), offset + first * rowBytes)
      const values = new Float32Array(length * dim)
      layout.decode(bytes, values)
      yield { first, rows: length, values }
    }
  } finally {
    await file.close()
  }
}

async function npyShape(path: string, file: FileHandle, dim: number): Promise<Shape> {
  const start = Buffer.alloc(12)
  const { bytesRead } = await file.read(start, 0, 12, 0)
  const header = Buffer.alloc(Math.min(npyHeaderLength(path, start.subarray(0, bytesRead)), BLOCK_BYTES))
  await readFully(path, file, header, 0)
  const { descr, rows, width, offset } = parseNpyHeader(path, header)
  const layout = Object.hasOwn(LAYOUTS, descr) ? LAYOUTS[descr] : undefined
  if (layout === undefined) {
    const known = Object.keys(LAYOUTS).join(', ')
    throw new MillraceError('INPUT_INVALID', `Expected one of ${known} in ${path} but received '${descr}'`)
  }
  if (width !== dim) throw wrongDim(path, width, dim)
  return { layout, rows, offset }
}

/** Plain values do not say how many there are in a row. */
async function rawShape(path: string, file: FileHandle, dim: number): Promise<Shape> {
  const { size } = await file.stat()
  if (size % (dim * 4) !== 0) {
    throw new MillraceError('INPUT_INVALID', `${path} does not hold whole vectors of ${dim} float32 values`)
  }
  return { layout: LAYOUTS['<f4'] as Layout, rows: size / (dim * 4), offset: 0 }
}

async function readFully(path: string, file: FileHandle, into: Buffer, position: number): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await file.read(into, at, into.length - at, position + at)
    if (bytesRead === 0) throw new MillraceError('INPUT_INVALID', `${path} ends too early`)
    at += bytesRead
  }
}

async function* readJsonl(path: string, dim: number, field: string): AsyncGenerator<Block, void, undefined> {
  let first = 0
  for await (const lines of readJsonLines(readBytes(path))) {
    const values = new Float32Array(lines.length * dim)
    const texts = lines.map(({ value, number, problem }, i) => {
      const place = `${path}:${number}`
      if (problem !== undefined) throw new MillraceError(problem.code, `${place}: ${problem.message}`)
      const record = checkRecord(place, value)
      const embedding = record['embedding'] ?? record['vector']
      // A failed row has no embedding; its place stays zeros.
      if (embedding !== undefined) {
        const zero = zeroOf(place, record['dtype'])
        const numbers = embeddingOf(place, embedding, dim, path)
        values.set(zero === 0 ? numbers : numbers.map((value) => value - zero), i * dim)
      }
      const kept = fieldOf(record, field)
      return typeof kept === 'string' ? kept : undefined
    })
    yield { first, rows: lines.length, values, texts }
    first += lines.length
  }
}

/** The level that stands for zero in vectors of the format. Their scale does not matter, because directions are compared. */
function zeroOf(place: string, dtype: unknown): number {
  if (dtype === undefined || dtype === 'float32' || dtype === 'int8') return 0
  if (dtype === 'uint8') return 128
  throw new MillraceError(
    'INPUT_INVALID',
    `${place}: Expected vectors as float32, int8 or uint8 but received ${describeValue(dtype)}: index into a .npy file to search them`,
  )
}

/** `embedding` is what `millrace embed` writes, `vector` what `millrace index` writes. */
function checkRecord(place: string, value: unknown): Record<string, unknown> {
  const fields = isRecord(value) ? value : {}
  if ('indices' in fields) throw otherFamily(place, 'the record holds a sparse vector')
  if (!('embedding' in fields || 'vector' in fields || 'error' in fields)) {
    throw new MillraceError('INPUT_INVALID', `${place}: Expected a record with an embedding`)
  }
  return fields
}

function embeddingOf(place: string, embedding: unknown, dim: number, path: string): number[] {
  if (Array.isArray(embedding) && Array.isArray(embedding[0])) {
    throw otherFamily(place, 'the record holds a vector for each token')
  }
  if (!Array.isArray(embedding) || embedding.some((x) => typeof x !== 'number')) {
    throw new MillraceError('INPUT_INVALID', `${place}: Expected an array of numbers as embedding`)
  }
  if (embedding.length !== dim) throw wrongDim(path, embedding.length, dim)
  return embedding as number[]
}
