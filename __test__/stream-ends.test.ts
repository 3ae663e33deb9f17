/** How a stream ends early: break, abort, bad items, sources that throw. Each must release everything. */
import { getEventListeners, once } from 'node:events'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../index.js'
import { counted, streamOver, texts } from './support/stream.js'

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('leaving early', () => {
  it('cancels the job and releases the source on break', async () => {
    const { source, state } = counted(Number.POSITIVE_INFINITY)
    const { stream, job } = streamOver(source)
    for await (const _ of stream) break
    expect([job.cancelled, state.returned]).toEqual([1, 1])
    const { read } = state
    await sleep(20)
    expect(state.read).toBe(read)
  })

  it('does so when the loop throws, and in rows()', async () => {
    const { source, state } = counted(Number.POSITIVE_INFINITY)
    const { stream, job } = streamOver(source)
    const failure = new Error('in the loop')
    const loop = async () => {
      for await (const _ of stream.rows()) throw failure
    }
    await expect(loop()).rejects.toBe(failure)
    expect([job.cancelled, state.returned]).toEqual([1, 1])
  })

  it('runs the finally block of a generator', async () => {
    let released = false
    async function* source() {
      try {
        for (;;) yield 'text'
      } finally {
        await sleep(5)
        released = true
      }
    }
    for await (const _ of streamOver(source()).stream) break
    expect(released).toBe(true)
  })

  it('ends a pending read and does not wait for a source that hangs', async () => {
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: () => new Promise<never>(() => {}),
      }),
    }
    const { stream, job } = streamOver(source)
    const batches = stream[Symbol.asyncIterator]()
    const pending = batches.next()
    await sleep(5)
    await batches.return?.()
    expect(await pending).toEqual({ done: true, value: undefined })
    expect(job.cancelled).toBe(1)
  })

  it('destroys a stream of Node that waits for data', async () => {
    const source = new Readable({ objectMode: true, read() {} })
    const closed = once(source, 'close')
    const batches = streamOver(source).stream[Symbol.asyncIterator]()
    const pending = batches.next()
    await sleep(5)
    await batches.return?.()
    await closed
    expect((await pending).done).toBe(true)
    expect(source.destroyed).toBe(true)
  })

  it('cancels a web stream that waits for data, with the reason of cancelling ours', async () => {
    let cancelled = false
    const source = new ReadableStream<string>({
      cancel: () => {
        cancelled = true
      },
    })
    const { stream, job } = streamOver(source)
    const reader = stream.toReadableStream().getReader()
    const pending = reader.read()
    await sleep(5)
    await reader.cancel()
    expect((await pending).done).toBe(true)
    expect([cancelled, source.locked, job.cancelled]).toEqual([true, false, 1])
  })
})

describe('an abort', () => {
  it('before the first read rejects with the reason and starts nothing', async () => {
    const { source, state } = counted(3)
    const reason = new Error('not wanted')
    const { stream, opened } = streamOver(source, {}, { signal: AbortSignal.abort(reason) })
    await expect(stream.toArray()).rejects.toBe(reason)
    expect([opened(), state.read]).toEqual([0, 0])
  })

  it('rejects a pending read at once and removes its listener', async () => {
    const controller = new AbortController()
    const listeners = () => getEventListeners(controller.signal, 'abort').length
    const { source, state } = counted(100)
    const { stream, job } = streamOver(source, { stuck: true }, { signal: controller.signal })
    const pending = stream.toArray()
    await sleep(5)
    expect(listeners()).toBe(1)
    const reason = { any: 'value' }
    controller.abort(reason)
    await expect(pending).rejects.toBe(reason)
    expect([job.cancelled, state.returned, listeners()]).toEqual([1, 1, 0])
  })

  it('between two reads rejects the next one, once', async () => {
    const controller = new AbortController()
    const batches = streamOver(texts(40), {}, { signal: controller.signal }).stream[Symbol.asyncIterator]()
    await batches.next()
    controller.abort()
    await sleep(5)
    await expect(batches.next()).rejects.toMatchObject({ name: 'AbortError' })
    expect(await batches.next()).toEqual({ done: true, value: undefined })
  })

  it('while the model loads cancels the job that comes out of it', async () => {
    const controller = new AbortController()
    const { job } = streamOver([])
    let load = () => {}
    const open = () =>
      new Promise<typeof job>((resolve) => {
        load = () => resolve(job)
      })
    const { stream } = streamOver(['a'], {}, { signal: controller.signal, open })
    const pending = stream.toArray()
    await sleep(1)
    controller.abort()
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' })
    expect(job.cancelled).toBe(0)
    load()
    await sleep(1)
    expect(job.cancelled).toBe(1)
  })

  it('leaves no listener after a stream that ended by itself', async () => {
    const { signal } = new AbortController()
    const listeners = () => getEventListeners(signal, 'abort').length
    await streamOver(texts(3), {}, { signal }).stream.toArray()
    expect(listeners()).toBe(0)
  })
})

describe('bad items', () => {
  const mixed = ['a', 'bb', 7, 'dddd', null, 'ffffff']

  it('end the stream after what precedes them, with their index', async () => {
    const { stream, job } = streamOver(mixed, { batchSize: 1 })
    const lengths: unknown[] = []
    const read = async () => {
      for await (const batch of stream) lengths.push(batch.data[0])
    }
    await expect(read()).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      index: 2,
      message: 'Expected string for item 2 of the source but received 7 of type number',
    })
    expect(lengths).toEqual([1, 2])
    expect(job.texts).toEqual(['a', 'bb'])
  })

  it('release the source', async () => {
    const { source, state } = counted(10, (i) => (i === 3 ? undefined : 'text'))
    await expect(streamOver(source).stream.toArray()).rejects.toMatchObject({ index: 3 })
    expect(state).toEqual({ read: 4, returned: 1 })
  })

  it.each([false, true])(
    'are reported in their place when errors are collected (completion: %s)',
    async (completion) => {
      const options = { batchSize: 4, errors: 'collect', completion } as const
      const rows = await streamOver(mixed, options).stream.toArray()
      expect(rows.map((row) => row?.[0])).toEqual([1, 2, undefined, 4, undefined, 6])
      expect(rows[2]).toBe(null)
      const matrix = await streamOver(mixed, options).stream.toMatrix()
      expect([...matrix.errors.keys()].sort()).toEqual([2, 4])
      expect(matrix.errors.get(4)).toMatchObject({ code: 'INPUT_INVALID', index: 4 })
      expect(Array.from(matrix.tokens)).toEqual([3, 4, 0, 6, 0, 8])
      expect(Array.from(matrix.data.subarray(4, 6))).toEqual([0, 0])
      expect(() => matrix.row(2)).toThrow(MillraceError)
    },
  )

  it('of the native side keep their code and index', async () => {
    await expect(streamOver(['a', '!b', 'c']).stream.toArray()).rejects.toMatchObject({
      code: 'INFERENCE_FAILED',
      index: 1,
    })
    const matrix = await streamOver(['a', '!b', 'c'], { errors: 'collect' }).stream.toMatrix()
    expect(matrix.errors.get(1)).toBeInstanceOf(MillraceError)
  })
})

describe('a source that throws', () => {
  it.each(['sync', 'async'])('rejects the stream with its own error (%s)', async (kind) => {
    const failure = new Error('disk gone')
    function* sync() {
      yield 'a'
      throw failure
    }
    async function* later() {
      yield* sync()
    }
    const { stream, job } = streamOver(kind === 'sync' ? sync() : later())
    await expect(stream.toArray()).rejects.toBe(failure)
    expect(job.cancelled).toBe(1)
  })

  it('rejects with the error of a stream of Node', async () => {
    const failure = new Error('socket closed')
    const source = new Readable({
      objectMode: true,
      read() {
        this.destroy(failure)
      },
    })
    await expect(streamOver(source).stream.toArray()).rejects.toBe(failure)
  })
})

it('rejects with the error of opening', async () => {
  const open = () => Promise.reject(new MillraceError('OVERLOADED', 'full'))
  const { source, state } = counted(3)
  await expect(streamOver(source, {}, { open }).stream.toArray()).rejects.toMatchObject({
    code: 'OVERLOADED',
  })
  expect(state.read).toBe(0)
})
