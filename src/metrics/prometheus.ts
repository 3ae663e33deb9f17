/** Metrics in the text format of Prometheus (0.0.4). It only writes down what `metrics()` says; it keeps and measures nothing. */

import { invalidOption } from '../base/errors.js'
import { isRecord } from '../base/is.js'
import type { CacheMetrics } from '../options/cache.js'
import { type Check, parseOptions } from '../options/check.js'
import type { ModelMetrics, PipelineMetrics } from './metrics.js'

/** What has metrics: a model, a pipeline, or what their `metrics()` gave. */
export type Measured<M> = M | { metrics(): M }

/** What is written down, by names of the caller's, which become labels. */
export interface PrometheusSources {
  models?: Readonly<Record<string, Measured<ModelMetrics>>> | undefined
  pipelines?: Readonly<Record<string, Measured<PipelineMetrics>>> | undefined
  caches?: Readonly<Record<string, Measured<CacheMetrics>>> | undefined
}

/** Options of {@link prometheusText}. */
export interface PrometheusOptions {
  /** Beginning of every name. @default 'millrace' */
  prefix?: string | undefined
}

type Labels = Record<string, string>
type Kind = 'counter' | 'gauge' | 'histogram'

const prefixCheck: Check<string> = (name, value) => {
  if (typeof value !== 'string' || !/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(value)) {
    throw invalidOption(name, 'letters, digits and underscores', value)
  }
  return value
}

/**
 * All metrics as Prometheus reads them, for `GET /metrics` with the type `text/plain; version=0.0.4`. Times are seconds.
 *
 * @throws MillraceError INVALID_OPTION.
 *
 * @example
 * response.end(prometheusText({ models: { search: model }, pipelines: { docs: pipeline } }))
 */
export function prometheusText(sources: PrometheusSources, options?: PrometheusOptions): string {
  const { prefix = 'millrace' } = parseOptions<PrometheusOptions>('prometheusText', options, {
    prefix: prefixCheck,
  })
  const { models, pipelines, caches } = parseOptions<PrometheusSources>('prometheusText', sources, {
    models: record,
    pipelines: record,
    caches: record,
  } as never)
  const page = new Page(prefix)
  for (const [model, source] of Object.entries(models ?? {})) writeModel(page, { model }, read(source))
  for (const [pipeline, source] of Object.entries(pipelines ?? {}))
    writePipeline(page, { pipeline }, read(source))
  for (const [cache, source] of Object.entries(caches ?? {})) writeCache(page, { cache }, read(source))
  return page.text()
}

const record: Check<object> = (name, value) => {
  if (!isRecord(value)) throw invalidOption(name, 'object of names and what has metrics', value)
  return value
}

function read<M extends object>(source: Measured<M>): M {
  return 'metrics' in source && typeof source.metrics === 'function' ? (source.metrics() as M) : (source as M)
}

function writeModel(page: Page, labels: Labels, metrics: ModelMetrics): void {
  const counter = (name: string, help: string, value: number, more: Labels = {}) =>
    page.add('counter', `${name}_total`, help, value, { ...labels, ...more })
  const gauge = (name: string, help: string, value: number) => page.add('gauge', name, help, value, labels)
  counter('inputs', 'Inputs finished.', metrics.inputs)
  counter('tokens', 'Tokens of finished inputs.', metrics.tokens)
  counter('padded_tokens', 'Tokens of finished inputs, padding included.', metrics.paddedTokens)
  counter('runs', 'Runs of the graph that succeeded.', metrics.runs)
  counter('failed_runs', 'Runs of the graph that failed or were ended.', metrics.failedRuns)
  counter('refused_calls', 'Calls refused with OVERLOADED.', metrics.refusedJobs)
  counter('started_inputs', 'Inputs that began to run.', metrics.startedInputs)
  counter('wait_seconds', 'Time that inputs waited for a run, all together.', metrics.waitMs / 1000)
  const stages = { prepare: metrics.prepareMs, inference: metrics.inferenceMs, finish: metrics.finishMs }
  for (const [stage, ms] of Object.entries(stages)) {
    counter('stage_seconds', 'Time of a stage, over all threads.', ms / 1000, { stage })
  }
  gauge('waiting_inputs', 'Inputs waiting for a run.', metrics.waitingInputs)
  gauge('queue_age_seconds', 'How long the oldest waiting input has waited.', metrics.queueAgeMs / 1000)
  gauge('open_calls', 'Open calls.', metrics.openJobs)
  for (const [code, rows] of Object.entries(metrics.errors)) {
    counter('errors', 'Failed inputs by code.', rows, { code })
  }
  const bounds = metrics.runTimeBoundsMs.map((bound) => bound / 1000)
  page.histogram(
    'run_seconds',
    'Time of a run in the graph.',
    bounds,
    metrics.runTimes,
    metrics.inferenceMs / 1000,
    labels,
  )
  if (metrics.cache !== undefined) writeCache(page, labels, metrics.cache)
}

function writePipeline(page: Page, labels: Labels, metrics: PipelineMetrics): void {
  const counter = (name: string, help: string, value: number, more: Labels = {}) =>
    page.add('counter', `pipeline_${name}_total`, help, value, { ...labels, ...more })
  const { written, unchanged, duplicates, dropped, failed } = metrics
  for (const [outcome, count] of Object.entries({ written, unchanged, duplicates, dropped, failed })) {
    counter('documents', 'Documents by what became of them.', count, { outcome })
  }
  counter('documents_read', 'Documents read from sources.', metrics.read)
  counter('chunks', 'Chunks embedded.', metrics.chunks)
  counter('tokens', 'Tokens of embedded chunks.', metrics.tokens)
  counter('truncated', 'Chunks cut off at the limit of the model.', metrics.truncated)
  counter('records', 'Records that the sink has made last.', metrics.records)
  counter('commits', 'Batches that the sink has made last.', metrics.commits)
  counter('runs', 'Runs of the pipeline.', metrics.runs)
  const { sourceMs, prepareMs, chunkMs, embedMs, sinkMs } = metrics
  const stages = { source: sourceMs, prepare: prepareMs, chunk: chunkMs, embed: embedMs, sink: sinkMs }
  for (const [stage, ms] of Object.entries(stages)) {
    counter('stage_seconds', 'Time of a stage, one beside the other.', ms / 1000, { stage })
  }
  for (const [code, documents] of Object.entries(metrics.errors)) {
    counter('errors', 'Failed documents by code.', documents, { code })
  }
  const waiting = 'Chunks on their way through models and sink.'
  page.add('gauge', 'pipeline_waiting_chunks', waiting, metrics.waitingChunks, labels)
  for (const part of ['dense', 'sparse'] as const) {
    const model = metrics[part]
    if (model !== undefined) writeModel(page, { ...labels, model: part }, model)
  }
}

function writeCache(page: Page, labels: Labels, { hits, misses, shared, tiers }: CacheMetrics): void {
  for (const [result, count] of Object.entries({ hit: hits, miss: misses, shared })) {
    page.add('counter', 'cache_lookups_total', 'Inputs looked up in the cache.', count, { ...labels, result })
  }
  for (const [i, metrics] of tiers.entries()) {
    const { name, ...numbers } = metrics as typeof metrics & { name: string }
    const tier = { ...labels, tier: String(i), name }
    for (const [key, value] of Object.entries(numbers)) {
      if (typeof value !== 'number') continue
      const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      const isState = key === 'waiting' || key === 'bytes'
      const full = `cache_tier_${snake}${isState ? '' : '_total'}`
      page.add(
        isState ? 'gauge' : 'counter',
        full,
        `${TIER_HELP[key] ?? key} of a tier of the cache.`,
        value,
        tier,
      )
    }
  }
}

/** What the numbers of a tier are. */
const TIER_HELP: Readonly<Record<string, string>> = {
  hits: 'Values given',
  misses: 'Keys without a value',
  errors: 'Failed calls',
  timeouts: 'Calls over the time limit',
  corrupt: 'Values that were not what was written',
  bytesRead: 'Bytes given',
  bytesWritten: 'Bytes taken',
  dropped: 'Values that were not written',
  waiting: 'Values waiting to be written',
  bytes: 'Bytes held',
}

/** A page: families in the order of their first line, each with one head. */
class Page {
  readonly #prefix: string
  readonly #families = new Map<string, { head: string; lines: string[] }>()

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  add(kind: Kind, name: string, help: string, value: number, labels: Labels): void {
    this.#family(kind, name, help).push(`${this.#prefix}_${name}${labelText(labels)} ${numberText(value)}`)
  }

  /** `counts` are by class, one more than `bounds`; the format wants them added up. */
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    counts: readonly number[],
    sum: number,
    labels: Labels,
  ): void {
    const lines = this.#family('histogram', name, help)
    const full = `${this.#prefix}_${name}`
    let all = 0
    for (const [i, bound] of [...bounds, Number.POSITIVE_INFINITY].entries()) {
      all += counts[i] ?? 0
      lines.push(`${full}_bucket${labelText({ ...labels, le: numberText(bound) })} ${all}`)
    }
    lines.push(
      `${full}_sum${labelText(labels)} ${numberText(sum)}`,
      `${full}_count${labelText(labels)} ${all}`,
    )
  }

  text(): string {
    return [...this.#families.values()].map(({ head, lines }) => `${head}${lines.join('\n')}\n`).join('')
  }

  #family(kind: Kind, name: string, help: string): string[] {
    const full = `${this.#prefix}_${name}`
    const head = `# HELP ${full} ${help}\n# TYPE ${full} ${kind}\n`
    const family = this.#families.get(full) ?? { head, lines: [] }
    this.#families.set(full, family)
    return family.lines
  }
}

function labelText(labels: Labels): string {
  const escaped = (value: string) =>
    value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return Number.isFinite(value) ? String(value) : 'NaN'
}
