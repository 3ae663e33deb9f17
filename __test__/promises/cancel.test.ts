/**
 * Breaking off, aborting and returning free everything and leave the model usable. Each source here is minutes of work,
 * so a call that went on would not end in time; the milliseconds that cancelling takes are measured in
 * `benches/node/cancel.mjs`.
 */

import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { TextEmbedding } from '../../index.js'
import { PATIENCE_MS } from '../support/patience.js'
import { texts } from '../support/texts.mjs'

let model: TextEmbedding

beforeAll(async () => {
  model = await TextEmbedding.create({ overflow: 'truncate' })
})
afterAll(() => model.close())

/** After every way out: the native call is gone, no texts wait, and the next call works. */
afterEach(async () => {
  const ended = performance.now()
  while (model.metrics().openJobs > 0 || model.metrics().waitingInputs > 0) {
    expect(performance.now() - ended, 'the call still holds something').toBeLessThan(PATIENCE_MS)
    await sleep(2)
  }
  const started = performance.now()
  expect(await model.queryEmbed('does it still work?').toArray()).toHaveLength(1)
  expect(performance.now() - started).toBeLessThan(PATIENCE_MS)
})

/** A source that takes minutes, and says whether it was released. */
function bulk() {
  const state = { released: false, pulled: 0 }
  function* source() {
    try {
      for (const text of texts(1e9, { least: 20, most: 200 })) {
        state.pulled++
        yield text
      }
    } finally {
      state.released = true
    }
  }
  return { source: source(), state }
}

async function took(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await action()
  return performance.now() - started
}

describe('leaving a stream', () => {
  it('by break', async () => {
    const { source, state } = bulk()
    let left = 0
    for await (const _ of model.embed(source, { batchSize: 8 })) {
      left = performance.now()
      break
    }
    expect(performance.now() - left).toBeLessThan(PATIENCE_MS)
    expect(state.released).toBe(true)
  })

  it('by an error in the loop', async () => {
    const { source, state } = bulk()
    const mine = new Error('mine')
    const reading = (async () => {
      for await (const _ of model.embed(source, { batchSize: 8 })) throw mine
    })()
    await expect(reading).rejects.toBe(mine)
    expect(state.released).toBe(true)
  })

  it('by return() while a read is pending', async () => {
    const { source, state } = bulk()
    const batches = model.embed(source, { batchSize: 100_000 })[Symbol.asyncIterator]()
    const pending = batches.next()
    await sleep(50)
    expect(await took(async () => batches.return?.())).toBeLessThan(PATIENCE_MS)
    expect(await pending).toMatchObject({ done: true })
    expect(await batches.next()).toMatchObject({ done: true })
    expect(state.released).toBe(true)
  })

  it('by await using', async () => {
    const { source, state } = bulk()
    {
      await using batches = model.embed(source, { batchSize: 4 })[Symbol.asyncIterator]()
      await batches.next()
    }
    expect(state.released).toBe(true)
  })

  it('out of rows()', async () => {
    const { source, state } = bulk()
    let rows = 0
    for await (const row of model.embed(source, { batchSize: 8 }).rows()) {
      expect(row.length).toBe(384)
      if (++rows === 11) break
    }
    expect(state.released).toBe(true)
  })

  it('that waits for its own source', async () => {
    const never = new ReadableStream<string>({ start: (controller) => controller.enqueue('one') })
    const batches = model.embed(never)[Symbol.asyncIterator]()
    const pending = batches.next()
    await sleep(50)
    expect(await took(async () => batches.return?.())).toBeLessThan(PATIENCE_MS)
    expect(await pending).toMatchObject({ done: true })
  })
})

describe('a signal', () => {
  it('aborts a pending read with its reason', async () => {
    const { source, state } = bulk()
    const controller = new AbortController()
    const reason = new Error('enough')
    const reading = model.embed(source, { signal: controller.signal, batchSize: 100_000 }).toArray()
    setTimeout(() => controller.abort(reason), 100)
    const aborted = new Promise<number>((resolve) => {
      controller.signal.addEventListener('abort', () => resolve(performance.now()))
    })
    await expect(reading).rejects.toBe(reason)
    expect(performance.now() - (await aborted)).toBeLessThan(PATIENCE_MS)
    expect(state.released).toBe(true)
  })

  it.each([['a string'], [{ an: 'object' }], [0], [undefined]])(
    'keeps what was given as the reason: %j',
    async (reason) => {
      const controller = new AbortController()
      const reading = model.embed(bulk().source, { signal: controller.signal }).toMatrix()
      await sleep(20)
      controller.abort(reason)
      const caught = await reading.then(
        () => 'no error',
        (error: unknown) => error,
      )
      expect(caught).toBe(controller.signal.reason)
    },
  )

  it('that was aborted before starts nothing', async () => {
    const { source, state } = bulk()
    const signal = AbortSignal.abort()
    await expect(model.embed(source, { signal }).toArray()).rejects.toBe(signal.reason)
    await expect(model.queryEmbed('a', { signal }).toArray()).rejects.toBe(signal.reason)
    expect(state.pulled).toBe(0)
  })

  it('of a time limit gives its TimeoutError', async () => {
    const signal = AbortSignal.timeout(50)
    await expect(model.embed(bulk().source, { signal }).toArray()).rejects.toMatchObject({
      name: 'TimeoutError',
    })
  })

  it('serves many calls, and leaves no listener', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const warnings: Error[] = []
    const listener = (warning: Error) => warnings.push(warning)
    process.on('warning', listener)
    for (let i = 0; i < 30; i++) await model.queryEmbed('short', { signal }).toArray()
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    // nodejs/node#52635: fifty calls at once on one signal are no leak, and each of them must hear the abort.
    const reason = new Error('enough')
    const reading = Array.from({ length: 50 }, () =>
      model.embed(bulk().source, { signal, batchSize: 100_000 }).toArray(),
    )
    while (model.metrics().openJobs < 50) await sleep(2)
    controller.abort(reason)
    const ends = await Promise.allSettled(reading)
    expect(ends).toEqual(Array(50).fill({ status: 'rejected', reason }))
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    await new Promise((resolve) => setImmediate(resolve)) // warnings come in the next turn
    process.off('warning', listener)
    expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([])
  })

  it('hits only its own call', async () => {
    const controller = new AbortController()
    const doomed = model.embed(bulk().source, { signal: controller.signal }).toArray()
    const other = model.embed([...texts(60)]).toArray()
    controller.abort()
    await expect(doomed).rejects.toBe(controller.signal.reason)
    expect(await other).toHaveLength(60)
  })
})

describe('timeoutMs', () => {
  it('ends a run that takes longer, with TIMEOUT', async () => {
    const long = Array(8).fill('word '.repeat(250))
    await expect(model.embed(long, { timeoutMs: 1 }).toArray()).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  it('lets runs pass that are in time', async () => {
    expect(await model.embed([...texts(20)], { timeoutMs: 10_000 }).toArray()).toHaveLength(20)
  })
})
