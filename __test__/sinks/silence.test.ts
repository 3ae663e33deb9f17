/** Stores that do not answer: an abort and `close()` end all the same, and nothing says a password. */
import { inspect } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  EmbeddingPipeline,
  openPgVector,
  openQdrant,
  pgVectorSink,
  qdrantSink,
  type Sink,
  SparseTextEmbedding,
} from '../../index.js'
import { documents, temporaryDirectory } from '../pipeline/support.js'
import { type SilentServer, silentServer } from '../support/silent-server.js'

// The machine may be busy; what ends does so far earlier, and what hangs would hang for minutes.
vi.setConfig({ testTimeout: 60_000 })

const servers: SilentServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop()
})

async function silent(): Promise<SilentServer> {
  const server = await silentServer()
  servers.push(server)
  return server
}

const SINKS: Record<string, (port: number) => Sink> = {
  pgvector: (port) => pgVectorSink({ connectionString: `postgres://u@127.0.0.1:${port}/d` }),
  qdrant: (port) => qdrantSink({ url: `http://127.0.0.1:${port}`, collection: 'docs' }),
}

describe('a store that accepts and says nothing', () => {
  for (const [name, make] of Object.entries(SINKS)) {
    it(`does not hold an aborted run, nor close(): ${name}`, async () => {
      const { port, connected } = await silent()
      await using sparse = await SparseTextEmbedding.create()
      const pipeline = await EmbeddingPipeline.create({ sink: make(port), sparse, journal: false })
      const stop = new AbortController()
      const reason = new Error('enough')
      const running = pipeline.run(documents(2), { signal: stop.signal })
      await connected
      stop.abort(reason)
      await expect(running).rejects.toBe(reason)
      const again = pipeline.run(documents(2)).catch((error: { code: string }) => error.code)
      await pipeline.close()
      expect(['CLOSED', 'SINK_FAILED']).toContain(await again)
    })
  }

  it('does not hold a sink of the caller that never returns, and no run writes beside it', async () => {
    const journal = `${temporaryDirectory()}/j`
    const calls: string[] = []
    const sink: Sink = {
      name: 'stuck',
      async open() {},
      async remove() {},
      write() {
        calls.push('write')
        return new Promise(() => {})
      },
      commit: async () => null,
      async close() {
        calls.push('close')
      },
    }
    await using sparse = await SparseTextEmbedding.create()
    const pipeline = await EmbeddingPipeline.create({ sink, sparse, journal, flushMs: 0 })
    const stop = new AbortController()
    const running = pipeline.run(documents(2), { signal: stop.signal })
    while (!calls.includes('write')) await new Promise((resolve) => setTimeout(resolve, 5))
    stop.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
    expect(calls).toEqual(['write', 'close'])
    await expect(pipeline.run(documents(2))).rejects.toMatchObject({
      code: 'SINK_FAILED',
      message: expect.stringContaining('has not answered') as string,
    })
    await pipeline.close()
  })

  it('does not hold a search', async () => {
    const reason = new Error('enough')
    const stop = new AbortController()
    const first = await silent()
    const opening = openPgVector({
      connectionString: `postgres://u@127.0.0.1:${first.port}/d`,
      signal: stop.signal,
    })
    await first.connected
    stop.abort(reason)
    await expect(opening).rejects.toBe(reason)

    const second = await silent()
    const store = await openQdrant({ url: `http://127.0.0.1:${second.port}`, collection: 'docs' })
    const later = new AbortController()
    const searching = store.search(Float32Array.of(1, 0), { signal: later.signal })
    await second.connected
    later.abort(reason)
    await expect(searching).rejects.toBe(reason)
    await store.close()
  })
})

// statping/statping#229: a password in the log.
describe('a password in an address', () => {
  const addresses = [
    'postgres://me:s3cret@127.0.0.1:1/db',
    'postgres://me:s3cret@127.0.0.1:1/db?sslmode=disable&password=s3cret',
    'postgres://me:s3cret@[broken/db',
    'postgres://me:s3/cret@127.0.0.1:1/db',
  ]

  it.each(addresses)('is in no error: %#', async (connectionString) => {
    const tries = [
      () => pgVectorSink({ connectionString }).open({ schema: {} }),
      () => openPgVector({ connectionString }),
      async () => pgVectorSink({ connectionString, client: { query: async () => ({ rows: [] }) } }),
      () =>
        qdrantSink({ url: connectionString.replace('postgres', 'http'), collection: 'c' }).open({
          schema: {},
          signal: AbortSignal.timeout(100),
        }),
    ]
    for (const attempt of tries) {
      const error = await attempt().then(
        () => 'no error',
        (thrown: unknown) => thrown,
      )
      expect(error).toBeInstanceOf(Error)
      expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/s3\/?cret/)
    }
  })
})
