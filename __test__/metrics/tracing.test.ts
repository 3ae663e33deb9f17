/** Spans, as the real SDK of OpenTelemetry gets them. */
import { context, trace } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { EmbeddingPipeline, instrument, TextEmbedding } from '../../index.js'
import { documents, TableSink } from '../pipeline/support.js'

const exporter = new InMemorySpanExporter()

beforeAll(() => {
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  )
})
afterEach(async () => {
  await instrument(false)
  exporter.reset()
})

const named = (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name)

describe('instrument', () => {
  it('makes no spans until it is asked', async () => {
    const model = await TextEmbedding.create()
    await model.embed('quiet').toArray()
    expect(exporter.getFinishedSpans()).toEqual([])
    await model.close()
  })

  it('tells of loads and calls, whatever their end', async () => {
    await instrument()
    const model = await TextEmbedding.create()
    await model.embed(['one', 'two']).toArray()
    await expect(model.embed('x '.repeat(2000), { overflow: 'error' }).toArray()).rejects.toThrow()
    for await (const _ of model.embed(['left', 'early'], { batchSize: 1 })) break
    await model.close()
    expect(named('millrace.load')).toHaveLength(1)
    const [whole, failed, left] = named('millrace.embed')
    expect(whole?.attributes).toMatchObject({ 'millrace.model': model.model, 'millrace.rows': 2 })
    expect(whole?.attributes['millrace.tokens']).toBe(6)
    expect(failed?.attributes['error.type']).toBe('INPUT_TOO_LONG')
    expect(failed?.status.code).toBe(2)
    expect(failed?.events[0]?.name).toBe('exception')
    expect(left?.attributes['millrace.rows']).toBe(1)
    expect(left?.status.code).toBe(0)
  })

  it('puts commits of a pipeline under its run', async () => {
    await instrument()
    await using pipeline = await EmbeddingPipeline.create({ sink: new TableSink(), batchRecords: 10 })
    await pipeline.run(documents(30))
    const [run] = named('millrace.pipeline.run')
    const commits = named('millrace.pipeline.commit')
    expect(run?.attributes).toMatchObject({ 'millrace.documents': 30, 'millrace.chunks': 30 })
    expect(commits.length).toBeGreaterThan(0)
    for (const commit of commits) expect(commit.parentSpanContext?.spanId).toBe(run?.spanContext().spanId)
  })

  it('takes a tracer of the caller', async () => {
    const own = trace.getTracer('own')
    await instrument(own)
    const model = await TextEmbedding.create()
    await context.with(context.active(), () => model.embed('hello').toArray())
    expect(named('millrace.embed')[0]?.instrumentationScope.name).toBe('own')
    await model.close()
  })
})
