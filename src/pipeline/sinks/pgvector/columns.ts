/** Columns of a PostgreSQL store, and values as its statements take them. */

import { invalidOption } from '../../../base/errors.js'
import { type DType, isBits, isLeveled } from '../../../formats/dtype.js'
import { dequantize } from '../../../quantize/quantize.js'
import { mapStrings, withoutNul } from '../../metadata.js'
import { type DenseColumn, denseRow, type PipelineRecord, type RecordBatch, sparseRow } from '../../record.js'
import type { VectorSchema } from '../../sink.js'

/** A column as it is given in an insert. */
export interface GivenColumn {
  name: string
  /** Its type in the table. */
  type: string
  /** The type of the parameter that brings its values, without `[]`. */
  given: string
  /** The value made of the parameter's, in SQL. */
  value: string
}

/** Dimensions of a `sparsevec`, whose indices are below; pgvector's own limit. */
const SPARSE_DIMENSIONS = 1_000_000_000

const plain = (name: string, type: 'text' | 'integer', constraint = ' NOT NULL'): GivenColumn => ({
  name,
  type: `${type}${constraint}`,
  given: type,
  value: name,
})

const RECORD_COLUMNS: readonly GivenColumn[] = [
  plain('id', 'text', ' PRIMARY KEY'),
  plain('document_id', 'text'),
  plain('chunk', 'integer'),
  plain('text', 'text'),
  plain('start_at', 'integer'),
  plain('end_at', 'integer'),
  plain('tokens', 'integer'),
  {
    name: 'headings',
    type: 'text[] NOT NULL',
    given: 'text',
    // Lists of lists are no parameters.
    value: 'ARRAY(SELECT jsonb_array_elements_text(headings::jsonb))',
  },
  { name: 'metadata', type: 'jsonb NOT NULL', given: 'text', value: 'metadata::jsonb' },
]

/** How vectors of a format are kept and compared. */
export interface VectorFormat {
  type: string
  /** The operator of distance. */
  distance: string
  /** The operators that an index is made for. */
  operators: string
  isBits: boolean
}

export function formatOf(dtype: DType): VectorFormat {
  if (isBits(dtype)) return { type: 'bit', distance: '<~>', operators: 'bit_hamming_ops', isBits: true }
  const type = dtype === 'float16' ? 'halfvec' : 'vector'
  return { type, distance: '<=>', operators: `${type}_cosine_ops`, isBits: false }
}

/**
 * The columns of a table for such vectors.
 *
 * @throws MillraceError INVALID_OPTION for vectors that cannot be kept.
 */
export function columnsOf({ dense, sparse }: VectorSchema): GivenColumn[] {
  const vector = (name: string, type: string): GivenColumn => ({
    name,
    type: `${type} NOT NULL`,
    given: 'text',
    value: `${name}::${type}`,
  })
  const columns = [...RECORD_COLUMNS]
  if (dense !== undefined) {
    if (dense.ranges !== undefined && !isLeveled(dense.dtype)) {
      throw invalidOption('ranges', 'no ranges', dense.ranges)
    }
    columns.push(vector('embedding', `${formatOf(dense.dtype).type}(${dense.dim})`))
  }
  if (sparse?.idf === true)
    columns.push(vector('sparse_indices', 'bigint[]'), vector('sparse_values', 'real[]'))
  else if (sparse !== undefined) columns.push(vector('sparse', 'sparsevec'))
  return columns
}

/** The values of each record in the order of {@link columnsOf}. */
export async function rowsOf(
  { dense, sparse }: RecordBatch,
  isHashed: boolean,
): Promise<(record: PipelineRecord, i: number) => unknown[]> {
  const embedding = dense === undefined ? undefined : await literals(dense)
  return (record, i) => {
    const row: unknown[] = [
      withoutNul(record.id),
      withoutNul(record.documentId),
      record.chunk,
      withoutNul(record.text),
      record.start,
      record.end,
      record.tokens,
      JSON.stringify(mapStrings(record.headings, withoutNul)),
      JSON.stringify(mapStrings(record.metadata, withoutNul)),
    ]
    if (embedding !== undefined) row.push(embedding(i))
    if (sparse === undefined) return row
    const { indices, values } = sparseRow(sparse, i)
    if (isHashed) row.push(`{${indices.join(',')}}`, `{${values.join(',')}}`)
    else row.push(sparseLiteral(indices, values))
    return row
  }
}

/** Vectors as pgvector reads them, by row. */
async function literals(dense: DenseColumn): Promise<(i: number) => string> {
  const { dtype, dim, data } = dense
  if (isBits(dtype)) {
    const flip = dtype === 'binary' ? 0x80 : 0
    return (i) => {
      const bytes = Array.from(denseRow(dense, i), (byte) =>
        ((byte & 0xff) ^ flip).toString(2).padStart(8, '0'),
      )
      return bytes.join('').slice(0, dim)
    }
  }
  const values = dtype === 'float32' ? (data as Float32Array) : await dequantize(dense, dim)
  return (i) => `[${values.subarray(i * dim, (i + 1) * dim).join(',')}]`
}

/** Entries in ascending order and counted from 1, as pgvector wants them. */
function sparseLiteral(indices: Uint32Array, values: Float32Array): string {
  const entries = Array.from(indices, (index, i) => [index + 1, values[i] ?? 0] as const).filter(
    ([, value]) => value !== 0,
  )
  entries.sort(([a], [b]) => a - b)
  return `{${entries.map(([index, value]) => `${index}:${value}`).join(',')}}/${SPARSE_DIMENSIONS}`
}
