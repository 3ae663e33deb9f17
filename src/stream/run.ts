/**
 * One run of a stream: it opens the job at the first read, feeds it, hands out batches, and takes everything
 * down exactly once, however it ends. Batches are opaque here.
 */

import { onAbort } from '../base/abort.js'
import { MillraceError, unwrap } from '../base/errors.js'
import type { NativeBatch, NativeJob } from '../binding/types.js'
import { ownBatch } from '../binding/views.js'
import { beginTrace, type Trace } from '../metrics/tracing.js'
import type { Progress } from '../options/call.js'
import type { ItemKind } from './items.js'
import { ProgressReporter } from './progress.js'
import { Pump } from './pump.js'
import { openSource, type SourceReader } from './source.js'

/** What a stream is made of. Nothing of it is touched before the first read. */
export interface RunPlan<B> {
  source: unknown
  /** What the source's items are. */
  kind: ItemKind<unknown>
  /** Submits the job; loads the model first if need be. */
  open(): Promise<NativeJob>
  /** Makes the public batch. `inputErrors` are those of the job's placeholders, by position. */
  decode(native: NativeBatch, inputErrors: Map<number, MillraceError>): B
  /** An item that is not of the kind is reported in its batch instead of ending the stream. */
  collect: boolean
  signal?: AbortSignal
  onProgress?: (progress: Progress) => void
  total?: number
  /** What a span says of the call, for those who trace. */
  spanAttributes?: Record<string, string>
}

interface Waiter<B> {
  resolve(batch: B | undefined): void
  reject(error: unknown): void
}

/** A run. `next` is called by one reader at a time. */
export class StreamRun<B> {
  readonly #plan: RunPlan<B>
  #job: NativeJob | undefined
  #source: SourceReader | undefined
  #pump: Pump<unknown> | undefined
  #progress: ProgressReporter | undefined
  #waiter: Waiter<B> | undefined
  #trace: Trace | undefined
  /** Takes the run's listener off the caller's signal. */
  #unlisten: (() => void) | undefined
  #over = false
  #rows = 0
  /** An error that came while nobody waited; the next read gets it. */
  #failure: { error: unknown } | undefined

  constructor(plan: RunPlan<B>) {
    this.#plan = plan
  }

  /** The next batch; `undefined` at the end. */
  next(): Promise<B | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure.error)
        this.#failure = undefined
      } else if (this.#over) {
        resolve(undefined)
      } else {
        this.#waiter = { resolve, reject }
        this.#step().then(
          (batch) => this.#settle(batch),
          (error: unknown) => this.#fail(error),
        )
      }
    })
  }

  /** Ends the run; a waiting read gets the end. Resolves after the source's clean-up, rejects with its error. */
  async stop(): Promise<void> {
    if (this.#over) return
    const released = this.#tearDown()
    this.#settle(undefined)
    await released
  }

  async #step(): Promise<B | undefined> {
    const job = this.#job ?? (await this.#start())
    if (job === undefined || this.#pump === undefined) return undefined
    this.#pump.demanded = true
    const answer = await job.next()
    this.#pump.demanded = false
    if (this.#over) return undefined
    const native = unwrap(answer)
    if (native === null) return this.#end(this.#pump)
    this.#rows += native.length
    return this.#plan.decode(ownBatch(native), this.#pump.inputErrors)
  }

  /** `undefined` when the run ended meanwhile. */
  async #start(): Promise<NativeJob | undefined> {
    const { signal, source, kind, collect, onProgress, total } = this.#plan
    if (signal?.aborted === true) throw signal.reason
    if (signal !== undefined) this.#unlisten = onAbort(signal, () => this.#fail(signal.reason))
    this.#trace = beginTrace('millrace.embed', this.#plan.spanAttributes ?? {})
    const job = await this.#plan.open()
    if (this.#over) {
      job.cancel()
      return undefined
    }
    this.#job = job
    this.#source = openSource(source, kind)
    this.#pump = new Pump(job, this.#source, kind, collect)
    this.#pump.demanded = true
    this.#pump.run().catch((error: unknown) => this.#fail(error))
    if (onProgress !== undefined) {
      this.#progress = new ProgressReporter(job, onProgress, total, (error) => this.#fail(error))
    }
    return job
  }

  #end(pump: Pump<unknown>): undefined {
    if (pump.inputError !== undefined) throw pump.inputError
    if (this.#rows !== pump.pushed) {
      throw new MillraceError('INTERNAL', `${pump.pushed} inputs gave ${this.#rows} rows`)
    }
    this.#progress?.report()
    this.#tearDown().catch(() => {}) // the source has ended: nothing is left to clean up
  }

  #settle(batch: B | undefined): void {
    this.#waiter?.resolve(batch)
    this.#waiter = undefined
  }

  #fail(error: unknown): void {
    if (this.#over) return
    this.#endTrace(error)
    // The caller gets the error that came first; what the source's clean-up throws after it says less.
    this.#tearDown().catch(() => {})
    if (this.#waiter === undefined) this.#failure = { error }
    else this.#waiter.reject(error)
    this.#waiter = undefined
  }

  #endTrace(error?: unknown): void {
    if (this.#trace === undefined) return
    const progress = this.#job?.progress()
    this.#trace.end({ 'millrace.rows': this.#rows, 'millrace.tokens': progress?.tokens ?? 0 }, error)
  }

  async #tearDown(): Promise<void> {
    this.#over = true
    this.#endTrace()
    this.#unlisten?.()
    this.#progress?.stop()
    this.#pump?.stop()
    this.#job?.cancel()
    await this.#source?.stop()
  }
}
