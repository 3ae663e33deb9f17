/**
 * Where records go, as the pipeline sees it. Sinks of our own are in `../sinks/`; anyone can write another: it needs to know
 * nothing of models, order or resuming.
 */

import type { DType } from '../formats/dtype.js'
import type { QuantizationRanges } from '../quantize/ranges.js'
import type { JsonValue } from './document.js'
import type { PipelineRecord, RecordBatch } from './record.js'

/** What the vectors of a run are. */
export interface VectorSchema {
  dense?: {
    /** Name of the model. */
    model: string
    /** Dimensions of a vector. */
    dim: number
    dtype: DType
    /** int8 and uint8 with calibrated ranges. */
    ranges?: QuantizationRanges
  }
  sparse?: {
    /** Name of the model. */
    model: string
    /** Whether the store must multiply the inverse document frequency in (BM25, miniCOIL). */
    idf: boolean
  }
}

/** What a journal says of a store before a run begins. */
export interface JournalSummary {
  /** Documents that the store has for certain. Each has one record at least. */
  readonly written: number
  /** Documents that were being written or removed when an earlier run ended: the store may have all, some or none of their records. */
  readonly begun: number
}

/** What a sink is opened with. */
export interface SinkContext {
  schema: VectorSchema
  /** What `commit` answered last in an earlier run; absent in a first one. The sink goes back to that state, dropping what came after. */
  checkpoint?: JsonValue
  /** What the journal says that the checkpoint is of, where there is a journal. */
  journal?: JournalSummary
  /** Aborts what the sink waits for. */
  signal?: AbortSignal
}

/**
 * A store for records. The pipeline calls one method at a time, in this order: `open`, then any number of rounds of
 * `remove` (where there is something to remove), `write` and `commit`, then `close`, also after an error.
 *
 * What is promised: between two commits the process may die. The next run then opens the sink with the checkpoint of
 * the last commit the journal knows of (the last one that `commit` answered, or the one before), removes the documents that may
 * have been written since, if the sink has `remove`, before it writes them again, or at its end those that it did not come across. So a sink either can `remove`, or its `open` goes
 * back to the checkpoint exactly.
 *
 * What is asked in return: `open` makes all its checks before it changes anything, so that a refused run leaves the store as it was; and it compares
 * the store with the checkpoint, because someone may have removed the store or brought back an older one while the journal stayed.
 */
export interface Sink {
  /** For errors and counters: `lancedb`. */
  readonly name: string
  /** Where the journal lies unless the caller says so: beside the output. Absent where the output is no file. */
  readonly journalPath?: string | undefined
  /**
   * Opens or makes the store.
   *
   * @throws MillraceError INVALID_OPTION for vectors it cannot hold; SINK_FAILED for a store that holds records of no journal, or that is not what
   * the checkpoint says.
   */
  open(context: SinkContext): Promise<void>
  /** Removes all records of these documents; those it does not know are no error. Absent: records can only be added. */
  remove?(documentIds: readonly string[]): Promise<void>
  /** Adds records of whole documents. Their ids are not in the store. */
  write(batch: RecordBatch): Promise<void>
  /** Makes what was written last; answers what `open` needs to come back to this state, `null` where that is nothing. */
  commit(): Promise<JsonValue>
  /**
   * Frees everything. Called once a run, after one that failed too; what is not committed need not stay. Another run opens again.
   *
   * It is called while another method is still under way in one case only: that method has not returned for half a second after the run was
   * aborted. Then it lets go of what the method waits for, such as a connection to a server that does not answer.
   */
  close(): Promise<void>
}

/** One result of a search in a store: the record as it was written, without its vectors and the number of its tokens. */
export interface StoreHit extends Omit<PipelineRecord, 'tokens'> {
  /** Similarity, the greater the nearer: cosine unless the store was made with another. */
  score: number
}

/** Options of a search in a store. */
export interface StoreSearchOptions {
  /** Most hits; as many come wherever the store has as many records. @default 10 */
  limit?: number | undefined
  /** Ends the search, which rejects with `signal.reason`. */
  signal?: AbortSignal | undefined
}

/** A store that can be searched. */
export interface SearchableStore {
  /** Name of the model its dense vectors are of, where the store knows. */
  model(): Promise<string | undefined>
  /**
   * The nearest records, the nearest first.
   *
   * @throws MillraceError INPUT_INVALID for a query of another number of dimensions than the store's vectors, with values that are not finite, or
   * of zeros only; INVALID_OPTION for what is no vector or no limit; SINK_FAILED where the store fails, its own error as `cause`.
   */
  search(query: Float32Array | readonly number[], options?: StoreSearchOptions): Promise<StoreHit[]>
  close(): Promise<void>
}

/** A document that could not be embedded. */
export interface DeadLetter {
  documentId: string
  /** Position of the document in the source. */
  index: number
  code: string
  message: string
}

/**
 * Where failed documents are told. It has the promises of a {@link Sink}; it is opened before the sink is, and `open` changes nothing: what it has to
 * change waits for the first `write` or `commit`, because the sink may refuse the run.
 */
export interface DeadLetterSink {
  readonly name: string
  open(checkpoint: JsonValue | undefined): Promise<void>
  write(letters: readonly DeadLetter[]): Promise<void>
  commit(): Promise<JsonValue>
  close(): Promise<void>
}
