/** Every family: breaking off, aborting, time limits and closing free everything, and leave the model usable or say CLOSED. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { PATIENCE_MS } from '../support/patience.js'
import { type CommonOptions, type Model, SUBJECTS } from './subjects.js'

describe.each(SUBJECTS.map((subject) => ({ name: subject.name, subject })))('$name', ({ subject }) => {
  const { items } = subject
  let model: Model

  beforeAll(async () => {
    model = await subject.open()
  })
  afterAll(() => model.close())

  /** After every way out: the native call is gone, nothing waits, and the next call works. */
  afterEach(async () => {
    const ended = performance.now()
    while (model.metrics().openJobs > 0 || model.metrics().waitingInputs > 0) {
      expect(performance.now() - ended, 'the call still holds something').toBeLessThan(PATIENCE_MS)
      await sleep(2)
    }
    expect(await model.run([items[0]]).toArray()).toHaveLength(1)
  })

  /** A source without end that says whether it was released. */
  function endless() {
    const state = { released: false, pulled: 0 }
    function* source() {
      try {
        while (true) yield items[state.pulled++ % items.length]
      } finally {
        state.released = true
      }
    }
    return { source: source(), state }
  }

  it('break', async () => {
    const { source, state } = endless()
    let left = 0
    for await (const _ of model.run(source, { batchSize: 4 })) {
      left = performance.now()
      break
    }
    expect(performance.now() - left).toBeLessThan(PATIENCE_MS)
    expect(state.released).toBe(true)
  })

  it('break out of rows()', async () => {
    const { source, state } = endless()
    let rows = 0
    for await (const _ of model.run(source, { batchSize: 4 }).rows()) if (++rows === 6) break
    expect(state.released).toBe(true)
  })

  it('cancelling a web stream', async () => {
    const { source, state } = endless()
    const reader = model.run(source, { batchSize: 4 }).toReadableStream().getReader()
    expect((await reader.read()).value?.length).toBe(4)
    await reader.cancel()
    expect(state.released).toBe(true)
  })

  it('a source is pulled no further than a window', async () => {
    const { source, state } = endless()
    const batches = model.run(source, { batchSize: 2 })[Symbol.asyncIterator]()
    await batches.next()
    for (let last = -1; last !== state.pulled; await sleep(60)) last = state.pulled
    // 4,096 rows and the slice under way; fewer where items are large.
    expect(state.pulled).toBeLessThanOrEqual(4096 + 64 + 2)
    await batches.return?.()
    expect(state.released).toBe(true)
  })

  it('an abort, with its reason', async () => {
    const { source, state } = endless()
    const controller = new AbortController()
    const reason = new Error('enough')
    const reading = model.run(source, { signal: controller.signal, batchSize: 1_000_000 }).toArray()
    let aborted = 0
    setTimeout(() => {
      aborted = performance.now()
      controller.abort(reason)
    }, 50)
    await expect(reading).rejects.toBe(reason)
    expect(performance.now() - aborted).toBeLessThan(PATIENCE_MS)
    expect(state.released).toBe(true)
  })

  it('an abort before the start pulls nothing', async () => {
    const { source, state } = endless()
    const signal = AbortSignal.abort()
    await expect(model.run(source, { signal }).toArray()).rejects.toBe(signal.reason)
    expect(state.pulled).toBe(0)
  })

  it('an error of the source itself', async () => {
    const reason = new Error('the source broke')
    function* source() {
      yield items[0]
      throw reason
    }
    await expect(model.run(source()).toArray()).rejects.toBe(reason)
  })

  it('reading twice is refused', async () => {
    const stream = model.run([items[0]])
    await stream.toArray()
    await expect(stream.toArray()).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  })
})

describe.each(SUBJECTS.map((subject) => ({ name: subject.name, subject })))('$name', ({ subject }) => {
  const { items } = subject

  it('close drains what was taken in, and is CLOSED then', async () => {
    const model = await subject.open()
    const running = model.run([...items]).toArray()
    await sleep(5)
    await model.close()
    // What was read in before the close is finished, or the call says why it is not.
    const rows = await running.catch((error: unknown) => error)
    if (Array.isArray(rows)) expect(rows).toHaveLength(items.length)
    else expect(rows).toMatchObject({ code: 'CLOSED' })
    await model.close()
    await expect(model.run([items[0]]).toArray()).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(model.info()).rejects.toMatchObject({ code: 'CLOSED' })
    expect(model.metrics().openJobs).toBe(0)
  })

  it('lazyLoad loads at the first use, once', async () => {
    const model = await subject.open({ lazyLoad: true })
    try {
      expect(model.metrics().runs).toBe(0)
      const calls = Array.from({ length: 4 }, () => model.run([items[0]]).toArray())
      for (const rows of await Promise.all(calls)) expect(rows).toHaveLength(1)
      expect(model.metrics().inputs).toBe(4)
    } finally {
      await model.close()
    }
  })

  it('a call beyond maxQueue is OVERLOADED', async () => {
    const model = await subject.open({ maxQueue: 1 })
    try {
      function* source() {
        while (true) yield items[0]
      }
      const options: CommonOptions = { batchSize: 1 }
      const first = model.run(source(), options)[Symbol.asyncIterator]()
      await first.next()
      await expect(model.run([items[0]]).toArray()).rejects.toMatchObject({ code: 'OVERLOADED' })
      await first.return?.()
      expect(await model.run([items[0]]).toArray()).toHaveLength(1)
    } finally {
      await model.close()
    }
  })

  it('progress counts every row', async () => {
    const model = await subject.open()
    try {
      const seen: { done: number; total?: number }[] = []
      await model.run([...items], { onProgress: (progress) => seen.push(progress) }).toArray()
      expect(seen.at(-1)).toMatchObject({ done: items.length, total: items.length })
      const counts = seen.map(({ done }) => done)
      expect(counts).toEqual([...counts].sort((a, b) => a - b))
      const failure = new Error('of the callback')
      const broken = model.run([...items], {
        onProgress() {
          throw failure
        },
      })
      await expect(broken.toArray()).rejects.toBe(failure)
    } finally {
      await model.close()
    }
  })
})
