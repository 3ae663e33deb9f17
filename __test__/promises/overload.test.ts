/** Overload is an answer: `maxQueue` bounds the open calls, and one more is OVERLOADED. */

import { describe, expect, it } from 'vitest'
import { TextEmbedding } from '../../index.js'
import { texts } from '../support/texts.mjs'

const endless = () => texts(1e9, { least: 1, most: 4 })

describe('maxQueue', () => {
  it('refuses one call more, and takes it when another has ended', async () => {
    await using model = await TextEmbedding.create({ maxQueue: 2 })
    const open = [1, 2].map(() => model.embed(endless(), { batchSize: 4 })[Symbol.asyncIterator]())
    for (const batches of open) await batches.next()
    const refused = await model
      .embed('one more')
      .toArray()
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'MillraceError', code: 'OVERLOADED' })
    expect((refused as Error).message).toContain('2')
    await open[0]?.return?.()
    expect(await model.queryEmbed('one more').toArray()).toHaveLength(1)
    const again = model.queryEmbed(endless(), { batchSize: 1 })[Symbol.asyncIterator]()
    await again.next()
    await expect(model.queryEmbed('refused again').toArray()).rejects.toMatchObject({ code: 'OVERLOADED' })
    // Else closing would finish their windows first.
    await Promise.all([open[1]?.return?.(), again.return?.()])
  })

  it('counts calls, not texts', async () => {
    await using model = await TextEmbedding.create({ maxQueue: 1 })
    expect(await model.embed([...texts(300, { least: 1, most: 4 })]).toArray()).toHaveLength(300)
    expect(await model.embed('next').toArray()).toHaveLength(1)
  })

  it('does not count calls that nobody reads', async () => {
    await using model = await TextEmbedding.create({ maxQueue: 1 })
    for (let i = 0; i < 10; i++) model.embed('never read')
    expect(await model.embed('read').toArray()).toHaveLength(1)
  })
})

describe('a burst', () => {
  it('of 2,000 calls is answered, each one with its rows or OVERLOADED', async () => {
    await using model = await TextEmbedding.create()
    const answers = await Promise.allSettled(
      Array.from({ length: 2000 }, (_, i) => model.queryEmbed(`query ${i}`).toArray()),
    )
    const refused = answers.filter((answer) => answer.status === 'rejected')
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'OVERLOADED' })
    const served = answers.filter((answer) => answer.status === 'fulfilled')
    for (const { value } of served) expect(value).toHaveLength(1)
    expect(served.length).toBeGreaterThanOrEqual(1024) // as many as may be open by default
    expect(model.metrics().openJobs).toBe(0)
  })
})
