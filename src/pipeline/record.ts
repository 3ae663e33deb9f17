/** What comes out of a pipeline: records with their vectors, column by column. Where they go is in `../sinks/`. */

import type { SparseVector } from '../batches/sparse.js'
import type { DType } from '../formats/dtype.js'
import type { VectorRows } from '../quantize/vectors.js'
import type { JsonValue } from './document.js'

/** One chunk of a document, or the whole of it. */
export interface PipelineRecord {
  /** The same in each run: the document's id, with `#` and the number of the chunk where documents are cut. */
  id: string
  documentId: string
  /** Number of the chunk in its document, from 0. */
  chunk: number
  /** What was embedded, without the prompt. */
  text: string
  /** Where it begins in the prepared text, in UTF-16 code units. */
  start: number
  /** Where it ends. */
  end: number
  /** Tokens as embedded, special tokens and prompt included; 0 where no model counted. */
  tokens: number
  /** Headings it stands under, outermost first; only of Markdown. */
  headings: string[]
  /** The document's. */
  metadata: Readonly<Record<string, JsonValue>>
}

/** Dense vectors of a batch, row `i` of record `i`. */
export interface DenseColumn<D extends DType = DType> extends VectorRows<D> {
  /** Dimensions of a vector. */
  readonly dim: number
  /** Values of a row in `data`: `dim`, or in the binary formats a byte for eight. */
  readonly width: number
}

/** Sparse vectors of a batch in compressed rows (CSR), row `i` of record `i`. */
export interface SparseColumn {
  readonly indices: Uint32Array
  readonly values: Float32Array
  /** Where each row begins, and at last where the last one ends. */
  readonly rowOffsets: Uint32Array
}

/** Records of whole documents, with their vectors. */
export interface RecordBatch {
  readonly records: readonly PipelineRecord[]
  readonly dense?: DenseColumn
  readonly sparse?: SparseColumn
}

/** Row `i` as views. */
export function denseRow({ data, width }: DenseColumn, i: number): DenseColumn['data'] {
  return data.subarray(i * width, (i + 1) * width)
}

/** Row `i` as views. */
export function sparseRow({ indices, values, rowOffsets }: SparseColumn, i: number): SparseVector {
  const [from, to] = [rowOffsets[i], rowOffsets[i + 1]]
  return { indices: indices.subarray(from, to), values: values.subarray(from, to) }
}
