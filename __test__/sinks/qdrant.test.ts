/** The Qdrant sink through the real client, against a server of the tests (see `support/qdrant.ts` for what it is not). */
import { QdrantClient } from '@qdrant/js-client-rest'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  EmbeddingPipeline,
  LateInteractionTextEmbedding,
  openQdrant,
  qdrantMultiVectors,
  qdrantPointId,
  qdrantSink,
} from '../../index.js'
import type { Stored } from '../pipeline/support.js'
import { documents } from '../pipeline/support.js'
import { goldenModel } from '../support/paths.js'
import { QdrantServer } from '../support/qdrant.js'
import { batchOf, conforms, records, SCHEMA } from './conformance.js'
import { searches } from './searches.js'

const server = new QdrantServer()
let collections = 0

beforeAll(() => server.start())
afterAll(() => server.stop())
beforeEach(() => {
  server.requests.length = 0
  server.faults.length = 0
})

describe('qdrantSink', () => {
  conforms({
    place: async () => `docs${collections++}`,
    make: (collection) => qdrantSink({ url: server.url, collection }),
    removes: true,
    // Its parser of JSON refuses halves.
    keeps: { halves: false },
    async wipe(collection) {
      await new QdrantClient({ url: server.url, checkCompatibility: false }).deleteCollection(collection)
    },
    async damage(collection) {
      const points = server.collections.get(collection)?.points
      points?.delete([...points.keys()][0] as string)
    },
    async look(collection) {
      const found = server.collections.get(collection)
      return found === undefined ? null : structuredClone([found, [...server.aliases]])
    },
    async read(collection) {
      return [...(server.collections.get(collection)?.points.values() ?? [])].map(
        ({ id, payload, vector }): Stored => {
          const { document_id, ...rest } = payload as unknown as Stored & { document_id: string }
          expect(id).toBe(qdrantPointId(rest.id))
          const { indices, values } = vector['sparse'] as { indices: number[]; values: number[] }
          return {
            ...rest,
            documentId: document_id,
            dense: (vector['dense'] as number[]).map(Math.fround),
            sparse: indices.map((index, i): [number, number] => [index, values[i] as number]),
          }
        },
      )
    },
  })

  searches({
    place: async () => `found${collections++}`,
    make: (collection) => qdrantSink({ url: server.url, collection }),
    open: (collection) => openQdrant({ url: server.url, collection }),
  })

  it('compares counts where aliases cannot be had, as with a key for one collection', async () => {
    server.hasAliases = false
    try {
      const sink = qdrantSink({ url: server.url, collection: 'locked' })
      await sink.open({ schema: SCHEMA })
      await sink.write(batchOf(records('a', ['b'])))
      const checkpoint = await sink.commit()
      await sink.close()
      const journal = { written: 1, begun: 0 }
      await sink.open({ schema: SCHEMA, checkpoint, journal })
      await sink.close()
      server.collections.get('locked')?.points.clear()
      await expect(sink.open({ schema: SCHEMA, checkpoint, journal })).rejects.toMatchObject({
        code: 'SINK_FAILED',
      })
      await sink.close()
    } finally {
      server.hasAliases = true
    }
  })

  it('says that a collection is not there', async () => {
    const store = await openQdrant({ url: server.url, collection: 'never made' })
    await expect(store.search(Float32Array.of(1, 2))).rejects.toMatchObject({
      code: 'SINK_FAILED',
      message: expect.stringContaining('is not there') as string,
    })
    await store.close()
  })

  it('makes collections for what vectors are', async () => {
    const sink = qdrantSink({
      url: server.url,
      collection: 'made',
      quantization: 'binary',
      onDisk: true,
      denseName: 'mini',
    })
    await sink.open({ schema: { ...SCHEMA, dense: { model: 'm', dim: 16, dtype: 'float16' } } })
    expect(server.collections.get('made')?.config).toEqual({
      vectors: { mini: { size: 16, distance: 'Cosine', datatype: 'float16', on_disk: true } },
      quantization_config: { binary: { always_ram: true } },
      sparse_vectors: { sparse: { modifier: 'idf' } },
    })
    await sink.close()
  })

  it('keeps requests below their bound, by encoded bytes', async () => {
    const sink = qdrantSink({ url: server.url, collection: 'split', maxRequestBytes: 20_000 })
    await sink.open({ schema: SCHEMA })
    const batch = batchOf(Array.from({ length: 200 }, (_, i) => records(`d${i}`, ['é'.repeat(500)])).flat())
    await sink.write(batch)
    const sizes = server.requests.filter(({ method }) => method === 'PUT').map(({ bytes }) => bytes)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(20_000)
    expect(Math.max(...sizes)).toBeGreaterThan(15_000)
    expect(server.collections.get('split')?.points.size).toBe(200)
    const huge = sink.write(batchOf(records('huge', ['x'.repeat(30_000)])))
    await expect(huge).rejects.toMatchObject({
      code: 'SINK_FAILED',
      message: expect.stringContaining('huge#0'),
    })
    await sink.close()
  })

  it('tries again where the server is busy or away, and gives up in the end', async () => {
    const sink = qdrantSink({ url: server.url, collection: 'busy' })
    await sink.open({ schema: SCHEMA })
    server.faults.push({ status: 500 }, 'reset', { status: 429, retryAfter: 0 })
    await sink.write(batchOf(records('a', ['b'])))
    expect(server.collections.get('busy')?.points.size).toBe(1)
    server.faults.push({ status: 400 })
    await expect(sink.write(batchOf(records('c', ['d'])))).rejects.toThrow()
    await sink.close()
  })

  it('stops waiting when the run is aborted', async () => {
    await using pipeline = await EmbeddingPipeline.create({
      sink: qdrantSink({ url: server.url, collection: 'stop' }),
    })
    const stop = new AbortController()
    server.faults.push(...Array.from({ length: 50 }, () => ({ status: 503 })))
    const running = pipeline.run(documents(3), { signal: stop.signal })
    setTimeout(() => stop.abort(new Error('enough')), 300)
    await expect(running).rejects.toThrow('enough')
  })

  it('is searched, with a client of the caller', async () => {
    const client = new QdrantClient({ url: server.url, checkCompatibility: false })
    await using pipeline = await EmbeddingPipeline.create({
      sink: qdrantSink({ client, collection: 'found' }),
    })
    const texts = ['a mill race', 'how to resize a partition', 'bread']
    await pipeline.run(texts.map((text, i) => ({ id: `t${i}`, text })))
    const store = await openQdrant({ client, collection: 'found' })
    const [query] = await pipeline.queryEmbed('enlarge a disk partition').toArray()
    const [hit] = await store.search(query as Float32Array, { limit: 1 })
    expect(hit).toMatchObject({ documentId: 't1', text: texts[1] })
    await store.close()
  })

  it('takes multi-vectors of late interaction', async () => {
    const client = new QdrantClient({ url: server.url, checkCompatibility: false })
    const model = await LateInteractionTextEmbedding.create({
      modelPath: goldenModel('colbert'),
      kind: 'colbert',
    })
    const batch = await model.embed(['one text', 'another one']).toMatrix()
    await client.createCollection('late', {
      vectors: {
        colbert: { size: batch.dim, distance: 'Cosine', multivector_config: { comparator: 'max_sim' } },
      },
    })
    await client.upsert('late', { wait: true, points: qdrantMultiVectors(batch, ['x', 'y'], 'colbert') })
    const point = server.collections.get('late')?.points.get(qdrantPointId('y'))
    expect(point?.vector['colbert']).toHaveLength(batch.row(1).length)
    await model.close()
  })
})
