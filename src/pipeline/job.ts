/** A document on its way through the stages. */

import { MillraceError } from '../base/errors.js'
import type { VectorOf } from '../batches/dense.js'
import { rowValues } from '../batches/dense-matrix.js'
import type { SparseVector } from '../batches/sparse.js'
import { ARRAYS, type DType, isLeveled } from '../formats/dtype.js'
import type { DropReason } from '../metrics/metrics.js'
import { Outcome } from './journal/document-table.js'
import type { PipelineRecord } from './record.js'

/** What the models' rows are. */
export interface RowShape {
  dense?: { dim: number; dtype: DType }
  sparse: boolean
}

/** Bytes of text and vectors that count as one chunk: more than usual, so that the number of chunks is bounded too. */
const CHUNK_BYTES = 8192

/** What a record's places and names take beside its text. */
const RECORD_BYTES = 512

/** What is known of a document when its job is made. */
export type JobFacts = Pick<
  DocumentJob,
  'index' | 'id' | 'shownId' | 'content' | 'replaces' | 'keeps' | 'outcome' | 'why'
>

/** A document and what has become of it so far. */
export class DocumentJob {
  /** Position in the source. */
  readonly index: number
  /** Its id; or, of one that has none of its own, a name for the journal. */
  readonly id: string
  /** The id that it came with, for people. */
  readonly shownId: string
  /** Name of its content. */
  readonly content: string
  /** The store may hold something of it, which goes first. */
  readonly replaces: boolean
  /** It could not be read, and the store has an earlier version of it, which stays with what the journal says of it. */
  readonly keeps: boolean
  outcome: Outcome
  /** Why it is left out. */
  why: DropReason | undefined
  error: MillraceError | undefined
  records: PipelineRecord[] = []
  dense: VectorOf<DType> | undefined
  scales: Float32Array | undefined
  sparse: SparseVector[] | undefined
  /** What it takes while it is on its way, in chunks of ordinary size. */
  weight = 1
  #missing = 0

  constructor(facts: JobFacts) {
    this.index = facts.index
    this.id = facts.id
    this.shownId = facts.shownId
    this.content = facts.content
    this.replaces = facts.replaces
    this.keeps = facts.keeps
    this.outcome = facts.outcome
    this.why = facts.why
  }

  /** Nothing is awaited any more. */
  get complete(): boolean {
    return this.#missing === 0
  }

  /** Its chunks will be embedded: makes room for their rows. */
  expect(records: PipelineRecord[], { dense, sparse }: RowShape): void {
    this.records = records
    const { length } = records
    const rowBytes = RECORD_BYTES + (dense === undefined ? 0 : 4 * dense.dim)
    this.weight = records.reduce((sum, { text }) => sum + weightOf(2 * text.length + rowBytes), 0)
    this.#missing = length * ((dense === undefined ? 0 : 1) + (sparse ? 1 : 0))
    if (dense !== undefined) {
      const { dtype, dim } = dense
      this.dense = new ARRAYS[dtype](length * rowValues(dim, { dtype })) as VectorOf<DType>
      if (isLeveled(dtype)) this.scales = new Float32Array(length)
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
    this.error = new MillraceError(error.code, `Document '${this.shownId}': ${error.message}`, {
      index: this.index,
      cause: error,
    })
    this.outcome = Outcome.failed
  }

  /** The document is not written, and that is no error. */
  leaveOut(why: DropReason): void {
    this.outcome = Outcome.dropped
    this.why = why
  }
}

function weightOf(bytes: number): number {
  return Math.max(1, bytes / CHUNK_BYTES)
}
