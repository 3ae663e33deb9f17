/** The stream every `embed` returns: batches, pulled. How a run works is in `stream/`. */

import { MillraceError } from '../base/errors.js'
import type { Collector, EmbeddingBatch } from '../batches/batch.js'
import { type RunPlan, StreamRun } from './run.js'

/** How a stream is made; internal. */
export interface StreamPlan<B> extends RunPlan<B> {
  collector(): Collector<B>
}

/**
 * Batches of rows, in input order unless the call says otherwise. Nothing starts before the first read, and nothing
 * runs ahead of the reader further than a fixed window, so memory does not depend on the number of inputs.
 *
 * It is read once, in one of the ways below; a second time throws INPUT_INVALID. Leaving a loop early, an error
 * and an abort all cancel the work and release the source. Errors: those of the call (`INPUT_TOO_LONG`, `INPUT_INVALID`,
 * `TIMEOUT`, `OVERLOADED`, `CLOSED`, `INFERENCE_FAILED`…), `signal.reason`, or what the source itself threw.
 *
 * @example
 * for await (const batch of model.embed(lines)) {
 *   await store.write(batch.offset, batch.data)
 * }
 */
export class EmbeddingStream<B extends EmbeddingBatch<unknown>, Row> implements AsyncIterable<B> {
  readonly #plan: StreamPlan<B>
  #read = false

  /** @internal */
  constructor(plan: StreamPlan<B>) {
    this.#plan = plan
  }

  /** Reads batch by batch. `next` may be called again before it has answered; `return` cancels at once. */
  [Symbol.asyncIterator](): AsyncIterableIterator<B> & AsyncDisposable {
    this.#claim()
    return new BatchIterator(new StreamRun(this.#plan))
  }

  /**
   * All rows in input order. With `errors: 'collect'`, a failed input's place holds `null`; the errors themselves are on the
   * batches, so read those where they matter. The rows are views: each keeps its batch's buffer alive.
   */
  async toArray(): Promise<Row[]> {
    const rows: Row[] = []
    for await (const batch of this) {
      for (let i = 0; i < batch.length; i++) rows[batch.indexOf(i)] = rowOf(batch, i)
    }
    return rows
  }

  /** Everything as one batch, in input order and one buffer. */
  async toMatrix(): Promise<B> {
    let collector: Collector<B> | undefined
    for await (const batch of this) {
      collector ??= this.#plan.collector()
      collector.add(batch)
    }
    return (collector ?? this.#plan.collector()).finish()
  }

  /**
   * Reads row by row, in the order of the stream (`order: 'completion'` does not tell which input a row belongs to here).
   * A failed input of a call with `errors: 'collect'` gives `null`.
   */
  rows(): AsyncGenerator<Row, void, undefined> {
    return eachRow<Row>(this[Symbol.asyncIterator]())
  }

  /** The batches as a web stream. Nothing starts before its first read; cancelling it cancels the work. */
  toReadableStream(): ReadableStream<B> {
    const batches = this[Symbol.asyncIterator]()
    return new ReadableStream<B>(
      {
        async pull(controller) {
          const { done, value } = await batches.next()
          if (done === true) controller.close()
          else controller.enqueue(value)
        },
        async cancel() {
          await batches.return?.()
        },
      },
      { highWaterMark: 0 },
    )
  }

  #claim(): void {
    if (this.#read) {
      throw new MillraceError(
        'INPUT_INVALID',
        'This stream was read before: a stream is read once, call embed again',
      )
    }
    this.#read = true
  }
}

class BatchIterator<B> implements AsyncIterableIterator<B> {
  readonly #run: StreamRun<B>
  #last: Promise<unknown> = Promise.resolve()

  constructor(run: StreamRun<B>) {
    this.#run = run
  }

  next(): Promise<IteratorResult<B, undefined>> {
    const next = this.#last.then(() => this.#run.next())
    this.#last = next.catch(() => {})
    return next.then((value) =>
      value === undefined ? { done: true, value: undefined } : { done: false, value },
    )
  }

  async return(): Promise<IteratorResult<B, undefined>> {
    await this.#run.stop()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run.stop()
  }
}

async function* eachRow<Row>(
  batches: AsyncIterable<EmbeddingBatch<unknown>>,
): AsyncGenerator<Row, void, undefined> {
  for await (const batch of batches) {
    for (let i = 0; i < batch.length; i++) yield rowOf<Row>(batch, i)
  }
}

/** The row, or `null` if it failed; `Row` has `null` exactly when the call collects errors. */
function rowOf<Row>(batch: EmbeddingBatch<unknown>, i: number): Row {
  return (batch.errors.has(batch.indexOf(i)) ? null : batch.row(i)) as Row
}
