/** Records as an Arrow table, for LanceDB: columns are taken over as they are, without an object a value. */

import { invalidOption } from '../../../base/errors.js'
import { isIntegerIn } from '../../../base/is.js'
import { type DType, isBits, rowElements } from '../../../formats/dtype.js'
import type { JsonValue } from '../../document.js'
import type { RecordBatch } from '../../record.js'
import type { VectorSchema } from '../../sink.js'

/** Types of columns that metadata may have for filters. */
export type MetadataColumnType = 'string' | 'int32' | 'float64' | 'boolean'

/** What is used of the package apache-arrow. */
export interface Arrow {
  Field: new (name: string, type: unknown, nullable?: boolean) => unknown
  Schema: new (fields: unknown[], metadata?: Map<string, string>) => unknown
  Table: new (schema: unknown, columns: Record<string, unknown>) => unknown
  Utf8: new () => unknown
  Int32: new () => unknown
  Uint8: new () => unknown
  Uint32: new () => unknown
  Float16: new () => unknown
  Float32: new () => unknown
  Float64: new () => unknown
  Bool: new () => unknown
  List: new (child: unknown) => unknown
  FixedSizeList: new (size: number, child: unknown) => unknown
  makeData(props: object): unknown
  makeVector(data: unknown): unknown
  vectorFromArray(values: readonly unknown[], type: unknown): unknown
}

/** Formats that LanceDB can search. */
const SEARCHABLE: readonly DType[] = ['float32', 'float16', 'binary', 'ubinary']

/** Names of the columns of every table. */
const RECORD_COLUMNS = [
  'id',
  'document_id',
  'chunk',
  'text',
  'start',
  'end',
  'tokens',
  'headings',
  'metadata',
]

/** Makes tables of one schema. */
export class ArrowTables {
  readonly schema: unknown
  readonly #arrow: Arrow
  readonly #vectors: VectorSchema
  readonly #metadata: Readonly<Record<string, MetadataColumnType>>
  /** Bits are bytes to LanceDB. */
  readonly #width: number

  /** `facts` are kept with the schema. Throws INVALID_OPTION for vectors or names that a table cannot have. */
  constructor(
    arrow: Arrow,
    vectors: VectorSchema,
    metadata: Readonly<Record<string, MetadataColumnType>>,
    facts: Readonly<Record<string, string>>,
  ) {
    const { dense, sparse } = vectors
    if (dense !== undefined && !SEARCHABLE.includes(dense.dtype)) {
      throw invalidOption(
        'dtype',
        `one of ${SEARCHABLE.join(', ')} for LanceDB, whose own index quantises`,
        dense.dtype,
      )
    }
    const taken = Object.keys(metadata).find(
      (name) => RECORD_COLUMNS.includes(name) || /^(vector|sparse_)/.test(name),
    )
    if (taken !== undefined) throw invalidOption('metadataColumns', 'names that no other column has', taken)
    this.#arrow = arrow
    this.#vectors = vectors
    this.#metadata = metadata
    this.#width = dense === undefined ? 0 : rowElements(dense.dtype, dense.dim)
    const said = new Map([
      ...Object.entries(facts),
      ['millrace.model', dense?.model ?? ''],
      ['millrace.dtype', dense?.dtype ?? ''],
      ['millrace.dim', String(dense?.dim ?? 0)],
      ['millrace.sparse_model', sparse?.model ?? ''],
    ])
    this.schema = new arrow.Schema(
      Object.entries(this.#types()).map(([name, type]) => new arrow.Field(name, type, true)),
      said,
    )
  }

  /** The batch's records. */
  table({ records, dense, sparse }: RecordBatch): unknown {
    const arrow = this.#arrow
    const types = this.#types()
    const columns: Record<string, unknown> = {}
    const strings: Record<string, (i: number) => string> = {
      id: (i) => records[i]?.id ?? '',
      document_id: (i) => records[i]?.documentId ?? '',
      text: (i) => records[i]?.text ?? '',
      headings: (i) => JSON.stringify(records[i]?.headings ?? []),
      metadata: (i) => JSON.stringify(records[i]?.metadata ?? {}),
    }
    const numbers = { chunk: 'chunk', start: 'start', end: 'end', tokens: 'tokens' } as const
    const rows = [...records.keys()]
    for (const name of RECORD_COLUMNS) {
      const text = strings[name]
      if (text !== undefined) {
        columns[name] = this.#strings(rows.map(text), types[name])
      } else {
        const key = numbers[name as keyof typeof numbers]
        const data = Int32Array.from(records, (record) => record[key])
        columns[name] = arrow.makeVector(
          arrow.makeData({ type: types[name], length: rows.length, nullCount: 0, data }),
        )
      }
    }
    for (const [name, type] of Object.entries(this.#metadata)) {
      const values = records.map(({ metadata }) => fitting(metadata[name], type))
      columns[name] = arrow.vectorFromArray(values, types[name])
    }
    if (dense !== undefined) {
      const bits = isBits(dense.dtype)
      const values = bits ? unsignedOf(dense.data as Int8Array | Uint8Array, dense.dtype) : dense.data
      const child = arrow.makeData({
        type: this.#valueType(dense.dtype),
        length: rows.length * this.#width,
        nullCount: 0,
        data: values,
      })
      columns['vector'] = arrow.makeVector(
        arrow.makeData({ type: types['vector'], length: rows.length, nullCount: 0, child }),
      )
    }
    if (sparse !== undefined) {
      const valueOffsets = Int32Array.from(sparse.rowOffsets)
      const list = (name: string, data: Uint32Array | Float32Array, type: unknown) => {
        const child = arrow.makeData({ type, length: data.length, nullCount: 0, data })
        columns[name] = arrow.makeVector(
          arrow.makeData({ type: types[name], length: rows.length, nullCount: 0, valueOffsets, child }),
        )
      }
      list('sparse_indices', sparse.indices, new arrow.Uint32())
      list('sparse_values', sparse.values, new arrow.Float32())
    }
    return new arrow.Table(this.schema, columns)
  }

  /** Arrow's own way takes an object a string. */
  #strings(texts: readonly string[], type: unknown): unknown {
    const valueOffsets = new Int32Array(texts.length + 1)
    for (const [i, text] of texts.entries())
      valueOffsets[i + 1] = (valueOffsets[i] ?? 0) + Buffer.byteLength(text)
    const data = new Uint8Array(valueOffsets.at(-1) ?? 0)
    const bytes = Buffer.from(data.buffer)
    // One by one: halves of a pair at the end of one and the beginning of the next must not meet.
    for (const [i, text] of texts.entries()) bytes.write(text, valueOffsets[i] ?? 0)
    const { makeData, makeVector } = this.#arrow
    return makeVector(makeData({ type, length: texts.length, nullCount: 0, valueOffsets, data }))
  }

  #types(): Record<string, unknown> {
    const arrow = this.#arrow
    const { dense, sparse } = this.#vectors
    const types: Record<string, unknown> = {}
    for (const name of RECORD_COLUMNS) {
      types[name] = ['chunk', 'start', 'end', 'tokens'].includes(name) ? new arrow.Int32() : new arrow.Utf8()
    }
    const scalar = {
      string: () => new arrow.Utf8(),
      int32: () => new arrow.Int32(),
      float64: () => new arrow.Float64(),
      boolean: () => new arrow.Bool(),
    }
    for (const [name, type] of Object.entries(this.#metadata)) types[name] = scalar[type]()
    if (dense !== undefined) {
      types['vector'] = new arrow.FixedSizeList(
        this.#width,
        new arrow.Field('item', this.#valueType(dense.dtype), true),
      )
    }
    if (sparse !== undefined) {
      types['sparse_indices'] = new arrow.List(new arrow.Field('item', new arrow.Uint32(), true))
      types['sparse_values'] = new arrow.List(new arrow.Field('item', new arrow.Float32(), true))
    }
    return types
  }

  #valueType(dtype: DType): unknown {
    if (isBits(dtype)) return new this.#arrow.Uint8()
    return dtype === 'float16' ? new this.#arrow.Float16() : new this.#arrow.Float32()
  }
}

/** Signed bits are the unsigned ones less 128. */
function unsignedOf(data: Int8Array | Uint8Array, dtype: DType): Uint8Array {
  return dtype === 'binary' ? Uint8Array.from(data, (byte) => byte + 128) : (data as Uint8Array)
}

/** What does not fit its column is null there: a column of 32 bits would keep the lowest 32 of a greater integer, another number. */
function fitting(value: JsonValue | undefined, type: MetadataColumnType): JsonValue {
  return FITS[type](value) ? (value as JsonValue) : null
}

const FITS: Readonly<Record<MetadataColumnType, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  float64: (value) => typeof value === 'number',
  int32: (value) => isIntegerIn(value, -(2 ** 31), 2 ** 31 - 1),
}
