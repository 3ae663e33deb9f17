/** The source is pulled as far as the window and no further, and never ahead of a reader that stopped. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TextEmbedding } from '../../index.js'
import { goldenModel } from '../support/paths.js'

/** Rows of a call that the engine may hold, and those of the slice that was under way. */
const WINDOW_ROWS = 4096 + 64

describe('an endless source', () => {
  let model: TextEmbedding
  beforeAll(async () => {
    model = await TextEmbedding.create({ modelPath: goldenModel('custom_both'), overflow: 'truncate' })
  })
  afterAll(() => model.close())

  it.each(['sync', 'async'])('is not pulled before the first read: %s', async (kind) => {
    const source = endless(kind)
    const batches = model.embed(source.texts)[Symbol.asyncIterator]()
    await sleep(50)
    expect(source.pulled()).toBe(0)
    await batches.return?.()
    expect(source.pulled()).toBe(0)
  })

  it.each(['sync', 'async'])('is pulled no further than the window: %s', async (kind) => {
    const source = endless(kind)
    const batches = model.embed(source.texts, { batchSize: 16 })[Symbol.asyncIterator]()
    await batches.next()
    await settled(source.pulled)
    const held = source.pulled() - 16
    expect(held).toBeLessThanOrEqual(WINDOW_ROWS)
    // A reader that takes one batch makes room for one batch.
    for (let i = 0; i < 5; i++) await batches.next()
    await settled(source.pulled)
    expect(source.pulled() - 6 * 16).toBeLessThanOrEqual(WINDOW_ROWS)
    await batches.return?.()
    const atEnd = source.pulled()
    await sleep(50)
    expect(source.pulled()).toBe(atEnd)
    expect(source.released()).toBe(true)
  })

  it('of long texts is held in tokens, not in rows', async () => {
    await using bundled = await TextEmbedding.create({ overflow: 'truncate' })
    let most = 0
    const text = 'word '.repeat(400)
    const source = endless('sync', (i) => {
      most = Math.max(most, i - bundled.metrics().inputs)
      return text
    })
    const batches = bundled.embed(source.texts, { batchSize: 16 })[Symbol.asyncIterator]()
    for (let i = 0; i < 4; i++) await batches.next()
    await batches.return?.()
    // 65,536 waiting tokens are 256 texts of 256; in rows there would be thousands.
    expect(most).toBeGreaterThan(64)
    expect(most).toBeLessThanOrEqual(500)
  })

  it('feeds a reader that is slow as fast as it reads', async () => {
    const source = endless('async')
    let rows = 0
    for await (const batch of model.embed(source.texts, { batchSize: 64 })) {
      rows += batch.length
      expect(source.pulled() - rows).toBeLessThanOrEqual(WINDOW_ROWS)
      await sleep(5)
      if (rows >= 640) break
    }
    expect(source.released()).toBe(true)
  })
})

describe('a web stream made of an embedding stream', () => {
  it('is pulled too', async () => {
    await using model = await TextEmbedding.create({ modelPath: goldenModel('custom_both') })
    const source = endless('sync')
    const reader = model.embed(source.texts, { batchSize: 8 }).toReadableStream().getReader()
    await sleep(30)
    expect(source.pulled()).toBe(0)
    await reader.read()
    await settled(source.pulled)
    expect(source.pulled() - 8).toBeLessThanOrEqual(WINDOW_ROWS)
    await reader.cancel()
    expect(source.released()).toBe(true)
  })
})

/** A source without end that counts. */
function endless(kind: string, text: (i: number) => string = (i) => `text ${i % 100}`) {
  let pulled = 0
  let released = false
  function* sync() {
    try {
      while (true) yield text(pulled++)
    } finally {
      released = true
    }
  }
  async function* asynchronous() {
    try {
      while (true) yield text(pulled++)
    } finally {
      released = true
    }
  }
  const texts: Iterable<string> | AsyncIterable<string> = kind === 'sync' ? sync() : asynchronous()
  return { texts, pulled: () => pulled, released: () => released }
}

/** Resolves when the number has not changed for a while. */
async function settled(number: () => number): Promise<void> {
  for (let last = -1; last !== number(); ) {
    last = number()
    await sleep(100)
  }
}
