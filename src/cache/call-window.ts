/** How much of a cached call is under way: which rows are finished, and how many inputs the call may still take in. */

import { isBytes } from '../base/foreign.js'
import type { NativeBatch, NativeError } from '../binding/types.js'
import { assemble, formOf, formOfBatch, type Row, type RowForm } from './assemble.js'
import { tokensOf } from './entry.js'
import { FinishedRows } from './finished-rows.js'
import type { Slot } from './slot.js'

/** Rows pushed and not yet taken; the native window's. */
const WINDOW_ROWS = 4096

/** Bytes of finished rows that may wait for the reader, unless two batches are more: 4096 rows of 4096 floats. */
const WINDOW_BYTES = 64 * 1024 * 1024

/** Characters or bytes of inputs that wait here for a look-up or for the native window. */
const WAITING_SIZE = 1024 * 1024

/** The window of one call. */
export class CallWindow {
  readonly #batchSize: number
  readonly #rows: FinishedRows
  #form: RowForm | undefined
  #submitted = 0
  #done = 0
  /** Tokens of rows that this call did not compute. */
  #givenTokens = 0
  /** Bytes of the entries that were finished, and their number: what a row weighs. */
  #rowBytes = 0
  #rowCount = 0
  /** Characters or bytes of inputs that wait. */
  #size = 0

  constructor(batchSize: number, order: 'input' | 'completion') {
    this.#batchSize = batchSize
    this.#rows = new FinishedRows(order)
  }

  /** Rows that were finished. */
  get done(): number {
    return this.#done
  }

  get givenTokens(): number {
    return this.#givenTokens
  }

  /** Rows that could be taken now. */
  get ready(): number {
    return this.#rows.ready
  }

  /** Whether every input has its row. */
  get isDone(): boolean {
    return this.#done === this.#submitted
  }

  /** Whether no more inputs may wait. */
  get isFull(): boolean {
    return this.#size >= WAITING_SIZE
  }

  /** How many inputs it has room for. */
  get room(): number {
    if (this.isFull) return 0
    const rowBytes = this.#rowCount === 0 ? WINDOW_BYTES : this.#rowBytes / this.#rowCount
    const light = Math.max(Math.floor(WINDOW_BYTES / rowBytes), 2 * this.#batchSize)
    const most = Math.min(Math.max(WINDOW_ROWS, 2 * this.#batchSize), light)
    return Math.max(most - (this.#submitted - this.#rows.taken), 0)
  }

  /** Counts inputs in; the position of the first. */
  submit(count: number): number {
    const first = this.#submitted
    this.#submitted += count
    return first
  }

  /** Counts what the call holds for a slot from now on. */
  hold(slot: Slot, size: number): void {
    this.#size += size - slot.size
    slot.size = size
  }

  /** Takes the form of rows from what the native job gave. */
  takeForm(batch: NativeBatch): void {
    this.#form ??= formOfBatch(batch)
  }

  /** The native job counts the tokens of this row itself. */
  computed(entry: Uint8Array): void {
    this.#givenTokens -= tokensOf(entry)
  }

  /** An entry as a slot's row. */
  give(slot: Slot, entry: Uint8Array): void {
    this.#form ??= formOf(entry)
    this.#givenTokens += tokensOf(entry)
    this.deliver(slot, entry)
  }

  /** A slot's row, or its error. */
  deliver(slot: Slot, row: Row): void {
    this.#done++
    this.hold(slot, 0)
    if (isBytes(row)) {
      this.#rowBytes += row.byteLength
      this.#rowCount++
    }
    this.#rows.insert(slot.index, row)
  }

  /** The first failed row among the ready ones and how many precede it. */
  firstFailed(): { at: number; error: NativeError } | undefined {
    return this.#rows.firstFailed()
  }

  /** Takes `count` ready rows as a batch. */
  take(count: number): NativeBatch | NativeError {
    const taken = this.#rows.take(count)
    if (this.#form === undefined) return { code: 'INTERNAL', message: 'Rows came without a form' }
    return assemble(taken, this.#form)
  }

  clear(): void {
    this.#rows.clear()
  }
}
