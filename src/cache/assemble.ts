/** Puts kept and fresh rows together as one batch, in the form in which the addon gives it. */

import { bytesOf } from '../base/bytes.js'
import { isBytes } from '../base/foreign.js'
import type { NativeBatch, NativeDType, NativeError } from '../binding/types.js'
import { ARRAYS } from '../formats/dtype.js'
import { columnsOf, factsOf, payloadOf, Shape } from './entry.js'

/** A finished row: an intact entry, or why there is none. */
export type Row = Uint8Array | NativeError

/** What rows of a call have in common. */
export interface RowForm {
  shape: Shape
  dim: number
  dtype: NativeDType
  scaled: boolean
}

/** Rows taken together. */
export interface Taken {
  /** Position of the first row in the output. */
  offset: number
  rows: readonly Row[]
  /** Input position of each row, where rows come as completed. */
  positions?: Float64Array
}

/** The form of rows that an entry has. */
export function formOf(entry: Uint8Array): RowForm {
  const { shape, dim, dtype, scale } = factsOf(entry)
  return { shape, dim, dtype, scaled: scale !== undefined }
}

/** The form of rows that the addon gives. */
export function formOfBatch({ indices, rowOffsets, starts, dim, dtype, scales }: NativeBatch): RowForm {
  const many = starts === undefined ? Shape.multiVector : Shape.chunks
  const ragged = rowOffsets === undefined ? Shape.dense : many
  const shape = indices === undefined ? ragged : Shape.sparse
  return { shape, dim, dtype, scaled: scales !== undefined }
}

const isEntry = (row: Row): row is Uint8Array => isBytes(row)

/** The batch of some rows. Failed ones are zeros, or empty where rows differ in length. */
export function assemble({ offset, rows, positions }: Taken, form: RowForm): NativeBatch {
  const length = rows.length
  const tokens = new Uint32Array(length)
  const truncated = new Uint8Array(length)
  const scales = form.scaled && form.shape !== Shape.chunks ? new Float32Array(length) : undefined
  const rowOffsets = form.shape === Shape.dense ? undefined : new Uint32Array(length + 1)
  const errors: NativeError[] = []
  for (const [i, row] of rows.entries()) {
    let count = 0
    if (isEntry(row)) {
      const facts = factsOf(row)
      tokens[i] = facts.tokens
      truncated[i] = facts.truncated ? 1 : 0
      if (scales !== undefined) scales[i] = facts.scale ?? 0
      count = facts.count
    } else {
      errors.push(row)
    }
    if (rowOffsets !== undefined) rowOffsets[i + 1] = (rowOffsets[i] ?? 0) + count
  }
  return {
    offset,
    length,
    dim: form.dim,
    dtype: form.dtype,
    ...valuesOf(rows, form, rowOffsets),
    tokens,
    truncated,
    ...(scales !== undefined && { scales }),
    ...(rowOffsets !== undefined && { rowOffsets }),
    ...(positions !== undefined && { positions }),
    errors,
  }
}

function valuesOf(
  rows: readonly Row[],
  { shape, dim, dtype, scaled }: RowForm,
  rowOffsets: Uint32Array | undefined,
): Pick<NativeBatch, 'data' | 'indices' | 'starts' | 'ends' | 'chunkTokens' | 'scales'> {
  const total = rowOffsets?.at(-1) ?? rows.length
  if (shape === Shape.sparse) {
    const [indices, data] = [new Uint32Array(total), new Float32Array(total)]
    const [indexBytes, dataBytes] = [bytesOf(indices), bytesOf(data)]
    for (const [i, row] of rows.entries()) {
      if (!isEntry(row)) continue
      const values = payloadOf(row)
      const at = (rowOffsets?.[i] ?? 0) * 4
      indexBytes.set(values.subarray(0, values.length / 2), at)
      dataBytes.set(values.subarray(values.length / 2), at)
    }
    return { indices, data }
  }
  const columns = shape === Shape.chunks ? columnsOfChunks(rows, scaled, rowOffsets, total) : undefined
  const data = new ARRAYS[dtype](total * dim)
  const bytes = bytesOf(data)
  const width = dim * data.BYTES_PER_ELEMENT
  for (const [i, row] of rows.entries()) {
    if (!isEntry(row)) continue
    const facts = factsOf(row)
    const before = columnsOf(facts) * facts.count * 4
    bytes.set(payloadOf(row).subarray(before), (rowOffsets?.[i] ?? i) * width)
  }
  return { data, ...columns }
}

/** What lies before the vectors of chunks, by chunk. */
function columnsOfChunks(
  rows: readonly Row[],
  scaled: boolean,
  rowOffsets: Uint32Array | undefined,
  total: number,
): Pick<NativeBatch, 'starts' | 'ends' | 'chunkTokens' | 'scales'> {
  const [starts, ends, chunkTokens] = [new Uint32Array(total), new Uint32Array(total), new Uint32Array(total)]
  const scales = scaled ? new Float32Array(total) : undefined
  const columns = [starts, ends, chunkTokens, ...(scales === undefined ? [] : [scales])].map(bytesOf)
  for (const [i, row] of rows.entries()) {
    if (!isEntry(row)) continue
    const payload = payloadOf(row)
    const width = factsOf(row).count * 4
    for (const [c, column] of columns.entries())
      column.set(payload.subarray(c * width, (c + 1) * width), (rowOffsets?.[i] ?? 0) * 4)
  }
  return { starts, ends, chunkTokens, ...(scales !== undefined && { scales }) }
}
