/**
 * The last stage: completed documents are put into batches, written, made last, and noted in the journal, in that order. One batch is
 * written while the next gathers; more wait at the gate.
 */

import { MillraceError } from '../base/errors.js'
import { breathe } from '../base/turn.js'
import type { VectorOf } from '../batches/dense.js'
import { rowValues } from '../batches/dense-matrix.js'
import { ARRAYS, type DType } from '../formats/dtype.js'
import { type Trace, traced } from '../metrics/tracing.js'
import { quantize } from '../quantize/quantize.js'
import type { JsonValue } from './document.js'
import type { Gate } from './gate.js'
import type { DocumentJob, RowShape } from './job.js'
import { Outcome } from './journal/document-table.js'
import type { Journal } from './journal/journal.js'
import type { PipelinePlan } from './options.js'
import type { DenseColumn, PipelineRecord, RecordBatch, SparseColumn } from './record.js'
import type { DeadLetterSink, Sink } from './sink.js'
import type { SinkCalls } from './sink-calls.js'
import type { Tally } from './tally.js'

/** Documents without records that are noted together. */
const SETTLED_TOGETHER = 4096

/** What the stage needs. */
export interface WriterContext {
  plan: PipelinePlan
  /** How the sinks are called. */
  calls: SinkCalls
  shape: RowShape
  journal: Journal | undefined
  gate: Gate
  tally: Tally
  /** The run's span, where someone traces. */
  trace: Trace | undefined
  onError(error: unknown): void
}

/** Writes documents; `announce` gives the order, `complete` says that one may go. */
export class Writer {
  readonly #context: WriterContext
  /** In the order of the source; only for `order: 'input'`. */
  #announced: DocumentJob[] = []
  /** How many of `announced` have gone: removed from time to time, not one by one. */
  #gone = 0
  readonly #complete = new Set<DocumentJob>()
  #gathered: DocumentJob[] = []
  #records = 0
  #weight = 0
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined
  #failed = false

  constructor(context: WriterContext) {
    this.#context = context
  }

  announce(job: DocumentJob): void {
    if (this.#context.plan.order === 'input') this.#announced.push(job)
  }

  complete(job: DocumentJob): void {
    if (this.#context.plan.order === 'completion') {
      this.#gather(job)
    } else {
      this.#complete.add(job)
      for (let next = this.#announced[this.#gone]; next !== undefined; next = this.#announced[this.#gone]) {
        if (!this.#complete.delete(next)) break
        this.#gone++
        this.#gather(next)
      }
      if (this.#gone > SETTLED_TOGETHER) {
        this.#announced.splice(0, this.#gone)
        this.#gone = 0
      }
    }
  }

  /** Writes what is left. */
  async finish(): Promise<void> {
    while (this.#writing !== undefined || (this.#gathered.length > 0 && !this.#failed)) {
      this.#start()
      await this.#writing
    }
    clearTimeout(this.#timer)
  }

  /** Writes nothing more; resolves when the batch under way is done with. */
  async stop(): Promise<void> {
    this.#failed = true
    clearTimeout(this.#timer)
    await this.#writing
  }

  #gather(job: DocumentJob): void {
    this.#gathered.push(job)
    this.#records += job.records.length
    this.#weight += job.weight
    this.#startInTime()
  }

  /** Writes now, if there is a batch or no room for more, or else before long. */
  #startInTime(): void {
    const { plan, gate } = this.#context
    const documents = this.#gathered.length
    const isBatch = this.#records >= plan.batchRecords || documents >= SETTLED_TOGETHER
    if (isBatch || gate.mustWrite(this.#weight, documents)) this.#start()
    else if (documents > 0) this.#timer ??= setTimeout(() => this.#start(), plan.flushMs)
  }

  #start(): void {
    if (this.#writing !== undefined || this.#failed || this.#gathered.length === 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    const jobs = this.#take()
    const facts = { 'millrace.documents': jobs.length, 'millrace.sink': this.#context.plan.sink.name }
    this.#writing = traced('millrace.pipeline.commit', facts, () => this.#write(jobs), this.#context.trace)
      .catch((error: unknown) => {
        this.#failed = true
        this.#gathered = []
        this.#context.onError(error)
      })
      .then(() => {
        this.#writing = undefined
        if (!this.#failed) this.#startInTime()
      })
  }

  /** Documents of one batch, in their order. */
  #take(): DocumentJob[] {
    let records = 0
    let count = 0
    const { batchRecords } = this.#context.plan
    for (const job of this.#gathered) {
      if (count === SETTLED_TOGETHER || records >= batchRecords) break
      records += job.records.length
      this.#weight -= job.weight
      count++
    }
    this.#records -= records
    return this.#gathered.splice(0, count)
  }

  async #write(jobs: DocumentJob[]): Promise<void> {
    const { plan, calls, journal, tally, gate } = this.#context
    const started = performance.now()
    const chunks = jobs.reduce((sum, job) => sum + job.records.length, 0)
    const weight = jobs.reduce((sum, job) => sum + job.weight, 0)
    const failed = jobs.filter(({ error }) => error !== undefined)
    const first = failed[0]?.error
    if (first !== undefined && plan.deadLetters === undefined) throw first
    const written = jobs.filter(({ outcome }) => outcome === Outcome.written)
    const old = jobs.filter(({ replaces }) => replaces).map(({ id }) => id)
    const { sink, deadLetters } = plan
    if (old.length > 0 && sink.remove === undefined) throw cannotReplace(sink, old[0] as string)
    if (sink.remove !== undefined)
      await journal?.begin([...new Set([...old, ...written.map(({ id }) => id)])])
    if (old.length > 0) await calls.run(sink, () => sink.remove?.(old))
    if (written.length > 0) {
      const batch = await batchOf(written, this.#context)
      await breathe()
      await calls.run(sink, () => sink.write(batch))
    }
    const changed = written.length > 0 || old.length > 0
    const checkpoint = changed ? await calls.run(sink, () => sink.commit()) : undefined
    await breathe()
    const told = deadLetters === undefined ? undefined : await tell(calls, deadLetters, failed)
    await journal?.commit(
      jobs.filter(({ keeps }) => !keeps).map(({ id, content, outcome }) => ({ id, content, outcome })),
      {
        ...(checkpoint !== undefined && { sink: checkpoint }),
        ...(told !== undefined && { deadLetters: told }),
      },
      // What can be removed was noted as begun, on the disk, and may be written again; what cannot goes back to this checkpoint.
      sink.remove === undefined,
    )
    await breathe()
    for (const job of jobs) count(tally, job)
    if (changed) tally.commits++
    tally.times.sinkMs += performance.now() - started
    gate.leave(weight, chunks, jobs.length)
  }
}

function count(tally: Tally, { outcome, why, error, replaces, records }: DocumentJob): void {
  const { counts } = tally
  if (outcome === Outcome.written) {
    counts.written++
    tally.records += records.length
    if (replaces) tally.replaced++
  } else if (outcome === Outcome.duplicate) {
    counts.duplicates++
  } else if (outcome === Outcome.dropped) {
    tally.countDropped(why ?? 'empty')
  } else {
    counts.failed++
    if (error !== undefined) tally.countError(error.code)
  }
}

function cannotReplace(sink: Sink, id: string): MillraceError {
  return new MillraceError(
    'SINK_FAILED',
    `Document '${id}' has changed, and the sink ${sink.name} can only add: index into a new one, or into a store that can replace`,
  )
}

async function tell(
  calls: SinkCalls,
  deadLetters: DeadLetterSink,
  failed: readonly DocumentJob[],
): Promise<JsonValue | undefined> {
  if (failed.length === 0) return undefined
  return calls.run(deadLetters, async () => {
    await deadLetters.write(
      failed.map(({ shownId, index, error }) => ({
        documentId: shownId,
        index,
        code: error?.code ?? 'INTERNAL',
        message: error?.message ?? '',
      })),
    )
    return deadLetters.commit()
  })
}

/** The documents' records with their vectors in columns. */
async function batchOf(jobs: readonly DocumentJob[], { plan, shape }: WriterContext): Promise<RecordBatch> {
  const records: PipelineRecord[] = jobs.flatMap((job) => job.records)
  const dense =
    shape.dense === undefined ? undefined : await denseColumn(jobs, records.length, shape.dense, plan)
  const sparse = shape.sparse ? sparseColumn(jobs, records.length) : undefined
  return { records, ...(dense !== undefined && { dense }), ...(sparse !== undefined && { sparse }) }
}

async function denseColumn(
  jobs: readonly DocumentJob[],
  rows: number,
  { dim, dtype }: { dim: number; dtype: DType },
  { dtype: wanted, ranges }: PipelinePlan,
): Promise<DenseColumn> {
  const width = rowValues(dim, { dtype })
  const data = new ARRAYS[dtype](rows * width) as VectorOf<DType>
  const scaled = jobs.some(({ scales }) => scales !== undefined)
  const scales = scaled ? new Float32Array(rows) : undefined
  let row = 0
  for (const job of jobs) {
    if (job.dense !== undefined) data.set(job.dense, row * width)
    if (job.scales !== undefined) scales?.set(job.scales, row)
    row += job.records.length
  }
  if (ranges === undefined) return { dim, width, dtype, data, ...(scales !== undefined && { scales }) }
  const quantized = await quantize(data as Float32Array, dim, { dtype: wanted ?? 'int8', ranges })
  return { dim, width: dim, dtype: quantized.dtype, data: quantized.data, ranges }
}

function sparseColumn(jobs: readonly DocumentJob[], rows: number): SparseColumn {
  const rowOffsets = new Uint32Array(rows + 1)
  let row = 0
  for (const { sparse = [] } of jobs) {
    for (const { values } of sparse) {
      rowOffsets[row + 1] = (rowOffsets[row] ?? 0) + values.length
      row++
    }
  }
  const total = rowOffsets[rows] ?? 0
  const [indices, values] = [new Uint32Array(total), new Float32Array(total)]
  row = 0
  for (const { sparse = [] } of jobs) {
    for (const vector of sparse) {
      indices.set(vector.indices, rowOffsets[row])
      values.set(vector.values, rowOffsets[row])
      row++
    }
  }
  return { indices, values, rowOffsets }
}
