/** What Prometheus would read, held to the grammar of its text format. */
import { describe, expect, it } from 'vitest'
import { EmbeddingPipeline, memory, prometheusText, TextEmbedding, tieredCache } from '../../index.js'
import { documents, TableSink } from '../pipeline/support.js'

interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"'
const SAMPLE = new RegExp(
  `^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\+Inf|-?[0-9.]+(?:e[+-]?[0-9]+)?)$`,
)

/** Parses a page; throws where it breaks the format: lines, heads before samples, families together, no sample twice. */
function parse(text: string): { samples: Sample[]; types: Map<string, string> } {
  expect(text.endsWith('\n')).toBe(true)
  const types = new Map<string, string>()
  const samples: Sample[] = []
  const seen = new Set<string>()
  let family = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const head = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line)
    if (head !== null) {
      const [, what, name = '', rest = ''] = head
      if (what === 'HELP') {
        expect(types.has(name), `${name} in one piece`).toBe(false)
        family = name
      } else {
        expect(name).toBe(family)
        types.set(name, rest)
      }
      continue
    }
    const [, name = '', list = '', value = ''] = SAMPLE.exec(line) ?? []
    expect(name, `a sample: ${line}`).not.toBe('')
    const own = types.get(family) === 'histogram' ? name.replace(/_(bucket|sum|count)$/, '') : name
    expect(own).toBe(family)
    expect(seen.has(`${name}{${list}}`), line).toBe(false)
    seen.add(`${name}{${list}}`)
    const pairs = [...list.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(([, key, quoted = '']) => [
      key,
      quoted.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c)),
    ])
    samples.push({
      name,
      labels: Object.fromEntries(pairs),
      value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value),
    })
  }
  return { samples, types }
}

describe('prometheusText', () => {
  it('says what models, caches and pipelines count', async () => {
    const cache = tieredCache([memory({ maxBytes: 1e6 })])
    const model = await TextEmbedding.create({ cache })
    await model.embed(['one', 'two', 'three']).toArray()
    await model.embed(['one']).toArray()
    await using pipeline = await EmbeddingPipeline.create({
      sink: new TableSink(),
      dense: model,
      cache: false,
    })
    await pipeline.run(documents(20))
    const odd = 'a "name"\\\nof two lines'
    const { samples, types } = parse(
      prometheusText({ models: { [odd]: model }, pipelines: { docs: pipeline }, caches: { rows: cache } }),
    )
    const of = (name: string, labels: Record<string, string>) =>
      samples.filter(
        (one) =>
          one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
      )
    const metrics = model.metrics()
    expect(of('millrace_inputs_total', { model: odd })[0]?.value).toBe(metrics.inputs)
    expect(of('millrace_pipeline_documents_total', { pipeline: 'docs', outcome: 'written' })[0]?.value).toBe(
      20,
    )
    expect(of('millrace_cache_lookups_total', { cache: 'rows', result: 'hit' })[0]?.value).toBe(1)
    expect(of('millrace_cache_tier_hits_total', { cache: 'rows', tier: '0' })[0]?.value).toBe(1)
    expect(types.get('millrace_run_seconds')).toBe('histogram')
    const buckets = of('millrace_run_seconds_bucket', { model: odd })
    const counts = buckets.map(({ value }) => value)
    expect(buckets.map(({ labels }) => labels['le']).at(-1)).toBe('+Inf')
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
    expect(counts.at(-1)).toBe(metrics.runs)
    expect(of('millrace_run_seconds_count', { model: odd })[0]?.value).toBe(metrics.runs)
    expect(of('millrace_run_seconds_sum', { model: odd })[0]?.value).toBeCloseTo(metrics.inferenceMs / 1000)
    for (const [name, type] of types) if (type === 'counter') expect(name).toMatch(/_total$/)
    await model.close()
    await cache.close()
  })

  it('takes snapshots, another beginning, and nothing', async () => {
    const model = await TextEmbedding.create({ lazyLoad: true })
    const text = prometheusText({ models: { idle: model.metrics() } }, { prefix: 'app_search' })
    expect(parse(text).samples.every(({ name }) => name.startsWith('app_search_'))).toBe(true)
    expect(prometheusText({})).toBe('')
    expect(() => prometheusText({}, { prefix: 'no-dashes' })).toThrow(/prefix/)
    expect(() => prometheusText({ models: 3 } as never)).toThrow(/models/)
    await model.close()
  })
})

describe('metrics of a model', () => {
  it('say where its time went and what failed', async () => {
    const model = await TextEmbedding.create({ maxQueue: 1 })
    const texts = Array.from({ length: 200 }, (_, i) => `text number ${i} of some words`)
    const rows = model.embed([...texts, 'long '.repeat(400)], { overflow: 'error', errors: 'collect' })
    await rows.toArray()
    const metrics = model.metrics()
    expect(metrics.errors).toEqual({ INPUT_TOO_LONG: 1 })
    expect(metrics.startedInputs).toBe(200)
    for (const time of ['prepareMs', 'inferenceMs', 'finishMs', 'waitMs'] as const) {
      expect(metrics[time]).toBeGreaterThan(0)
    }
    expect(metrics.inferenceMs).toBeGreaterThan(metrics.finishMs)
    expect(metrics.runTimes.reduce((sum, runs) => sum + runs, 0)).toBe(metrics.runs)
    expect(metrics.runTimes).toHaveLength(metrics.runTimeBoundsMs.length + 1)
    expect(metrics.queueAgeMs).toBe(0)
    // One call is open, so a second is refused and counted.
    const held = model.embed(texts)[Symbol.asyncIterator]()
    await held.next()
    await expect(model.embed('x').toArray()).rejects.toMatchObject({ code: 'OVERLOADED' })
    expect(model.metrics().refusedJobs).toBe(1)
    await held.return?.()
    await model.close()
    expect(model.metrics().startedInputs).toBeGreaterThanOrEqual(200)
  })

  it('tell how long the oldest input waits', async () => {
    const model = await TextEmbedding.create({ parallel: 1, threads: 1 })
    const texts = Array.from({ length: 150 }, (_, i) => `waiting text ${i} `.repeat(20))
    const running = model.embed(texts).toArray()
    let oldest = 0
    while (oldest < 50) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      oldest = Math.max(oldest, model.metrics().queueAgeMs)
    }
    expect(model.metrics().waitingInputs).toBeGreaterThan(0)
    await running
    expect(model.metrics().queueAgeMs).toBe(0)
    await model.close()
  })
})
