/** A document on its way through the stages. */

import type { VectorOf } from '../batches/dense.js'
import { ARRAYS, rowValues } from '../batches/dense-matrix.js'
import type { SparseVector } from '../batches/sparse.js'
import { MillraceError } from '../errors.js'
import type { DType } from '../options/dense.js'
import type { PipelineDocument, UnreadableDocument } from './document.js'
import { Outcome } from './journal/document-table.js'
import type { PipelineRecord } from './record.js'

/** What the models' rows are. */
export interface RowShape {
  dense?: { dim: number; dtype: DType }
  sparse: boolean
}

/** A document and what has become of it so far. */
export class DocumentJob {
  /** Position in the source. */
  readonly index: number
  readonly id: string
  /** Name of its content. */
  readonly content: string
  /** The store may hold something of it, which goes first. */
  readonly replaces: boolean
  outcome: Outcome
  error: MillraceError | undefined
  records: PipelineRecord[] = []
  dense: VectorOf<DType> | undefined
  scales: Float32Array | undefined
  sparse: SparseVector[] | undefined
  #missing = 0

  constructor(index: number, id: string, content: string, replaces: boolean, outcome: Outcome) {
    this.index = index
    this.id = id
    this.content = content
    this.replaces = replaces
    this.outcome = outcome
  }

  /** Nothing is awaited any more. */
  get complete(): boolean {
    return this.#missing === 0
  }

  /** Its chunks will be embedded: makes room for their rows. */
  expect(records: PipelineRecord[], { dense, sparse }: RowShape): void {
    this.records = records
    const { length } = records
    this.#missing = length * ((dense === undefined ? 0 : 1) + (sparse ? 1 : 0))
    if (dense !== undefined) {
      const { dtype, dim } = dense
      this.dense = new ARRAYS[dtype](length * rowValues(dim, { dtype })) as VectorOf<DType>
      if (dtype === 'int8' || dtype === 'uint8') this.scales = new Float32Array(length)
    }
    if (sparse) this.sparse = new Array<SparseVector>(length)
  }

  /** A row of a chunk has come, or failed; true when it was the last that was missing. */
  arrived(error?: MillraceError): boolean {
    if (error !== undefined) this.fail(error)
    this.#missing--
    return this.#missing === 0
  }

  /** The document is not written. The first error counts. */
  fail(error: MillraceError): void {
    if (this.error !== undefined) return
    this.error = new MillraceError(error.code, `Document '${this.id}': ${error.message}`, {
      index: this.index,
      cause: error,
    })
    this.outcome = Outcome.failed
  }

  /** Frees what a document that is not written need not keep. */
  drop(): void {
    this.records = []
    this.dense = undefined
    this.scales = undefined
    this.sparse = undefined
  }
}

/** A document that the source could not read. */
export function isUnreadable(value: unknown): value is UnreadableDocument {
  const { id, error } = (
    typeof value === 'object' && value !== null ? value : {}
  ) as Partial<UnreadableDocument>
  return typeof id === 'string' && id !== '' && error instanceof Error && 'code' in error
}

/** Checks what a source gave; answers why it is no document. */
export function whyNoDocument(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return `Expected { id, text } but received ${typeof value}`
  const { id, text, format, metadata } = value as Partial<Record<keyof PipelineDocument, unknown>>
  if (typeof id !== 'string' || id === '') return 'Expected non-empty string for id'
  if (typeof text !== 'string') return `Expected string for text but received ${typeof text}`
  if (format !== undefined && format !== 'text' && format !== 'markdown' && format !== 'html') {
    return "Expected one of 'text', 'markdown', 'html' for format"
  }
  if (metadata !== undefined && (typeof metadata !== 'object' || metadata === null)) {
    return 'Expected object for metadata'
  }
  return undefined
}
