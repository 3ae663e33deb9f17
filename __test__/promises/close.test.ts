/** `close()` drains, is idempotent, can be hurried, and makes everything after it CLOSED. */

import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { TextEmbedding } from '../../index.js'
import { goldenModel } from '../support/paths.js'
import { PATIENCE_MS } from '../support/patience.js'
import { texts } from '../support/texts.mjs'

const modelPath = goldenModel('custom_both')

describe('after close', () => {
  it('every call is CLOSED', async () => {
    const model = await TextEmbedding.create({ modelPath })
    const made = model.embed('made before, read after')
    await model.close()
    const closed = { name: 'MillraceError', code: 'CLOSED' }
    await expect(made.toArray()).rejects.toMatchObject(closed)
    await expect(model.embed('a').toArray()).rejects.toMatchObject(closed)
    await expect(model.queryEmbed('a').toMatrix()).rejects.toMatchObject(closed)
    await expect(model.tokenCount('a')).rejects.toMatchObject(closed)
    await expect(model.info()).rejects.toMatchObject(closed)
    expect(model.metrics().openJobs).toBe(0)
  })

  it('closing again does nothing, at once or later', async () => {
    const model = await TextEmbedding.create({ modelPath })
    await Promise.all([model.close(), model.close(), model.close({ timeoutMs: 5 })])
    await model.close()
    await model[Symbol.asyncDispose]()
  })

  it('other models of the same files go on', async () => {
    const [one, other] = [
      await TextEmbedding.create({ modelPath }),
      await TextEmbedding.create({ modelPath }),
    ]
    const before = await other.embed('a text').toArray()
    await one.close()
    expect(await other.embed('a text').toArray()).toEqual(before)
    await other.close()
  })

  it('await using has closed', async () => {
    let kept: TextEmbedding
    {
      await using model = await TextEmbedding.create({ modelPath })
      kept = model
      await model.embed('a').toArray()
    }
    await expect(kept.embed('a').toArray()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('closing under load', () => {
  it('delivers what was taken in', async () => {
    const model = await TextEmbedding.create()
    const source = [...texts(100)]
    const rows = model.embed(source).toArray()
    await sleep(30) // the array has been pushed whole by then, the rows are not finished
    expect(model.metrics().openJobs).toBe(1)
    const closed = model.close()
    expect(await rows).toHaveLength(100)
    await closed
  })

  it('ends a stream without end with CLOSED, after whole rows', async () => {
    const model = await TextEmbedding.create()
    let rows = 0
    const reading = (async () => {
      for await (const batch of model.embed(texts(1e9, { least: 1, most: 5 }), { batchSize: 8 }))
        rows += batch.length
    })()
    await sleep(200)
    const closed = model.close()
    await expect(reading).rejects.toMatchObject({ code: 'CLOSED' })
    await closed
    expect(rows).toBeGreaterThan(0)
  })

  it('with timeoutMs terminates what takes longer', async () => {
    const model = await TextEmbedding.create({ overflow: 'truncate' })
    const reading = model
      .embed(texts(1e9, { least: 200, most: 300 }), { batchSize: 100_000 })
      .toArray()
      .catch((error: unknown) => error)
    await sleep(200)
    const started = performance.now()
    await model.close({ timeoutMs: 50 })
    expect(performance.now() - started).toBeLessThan(PATIENCE_MS)
    expect(await reading).toMatchObject({ code: 'CLOSED' })
  })

  it('can be hurried by a second close', async () => {
    const model = await TextEmbedding.create({ overflow: 'truncate' })
    const reading = model
      .embed(texts(1e9, { least: 100, most: 200 }), { batchSize: 100_000 })
      .toArray()
      .catch((error: unknown) => error)
    await sleep(100)
    const started = performance.now()
    const patient = model.close()
    await model.close({ timeoutMs: 1 })
    await patient
    expect(performance.now() - started).toBeLessThan(PATIENCE_MS)
    expect(await reading).toMatchObject({ code: 'CLOSED' })
  })

  it('during the load closes what was loaded', async () => {
    const model = await TextEmbedding.create({ modelPath, lazyLoad: true })
    const first = model
      .embed('a')
      .toArray()
      .catch((error: unknown) => error)
    await model.close()
    expect(await first).toMatchObject({ code: 'CLOSED' })
  })

  it('refuses a bad timeoutMs', async () => {
    await using model = await TextEmbedding.create({ modelPath })
    for (const timeoutMs of [-1, 1.5, Number.NaN, '5' as unknown as number]) {
      await expect(model.close({ timeoutMs })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    }
    expect(await model.embed('still open').toArray()).toHaveLength(1)
  })
})
