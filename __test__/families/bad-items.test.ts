/** Every family: one bad item never sinks its batch, says what it is and where, and by default ends the stream. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MillraceError } from '../../index.js'
import { type Model, rowsAlone, SUBJECTS, sameRow } from './subjects.js'

describe.each(SUBJECTS.map((subject) => ({ name: subject.name, subject })))('$name', ({ subject }) => {
  const { items, bad } = subject
  let model: Model
  let alone: number[][]

  beforeAll(async () => {
    model = await subject.open()
    alone = await rowsAlone(model, items)
  })
  afterAll(() => model.close())

  it.each(bad)('$what ends the stream with its position', async ({ item, code }) => {
    const source = [items[0], items[1], item, items[0]]
    const error = await model
      .run(source)
      .toArray()
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({ name: 'MillraceError', code, index: 2 })
    // The wording is one; what the item is, it says.
    if (code === 'INPUT_INVALID') {
      expect((error as Error).message).toMatch(/^Expected .* for item 2 of the source but received /)
    }
  })

  it('bad ones are reported beside the others when errors are collected', async () => {
    // A bad item after every three good ones, each kind of badness several times.
    const isBad = (i: number) => i % 4 === 3
    const badAt = (i: number) => bad[Math.floor(i / 4) % bad.length] as (typeof bad)[number]
    const source = Array.from({ length: 80 }, (_, i) => (isBad(i) ? badAt(i).item : items[i % items.length]))
    const found = new Map<number, string>()
    for await (const batch of model.run(source, { errors: 'collect', batchSize: 7 })) {
      for (let i = 0; i < batch.length; i++) {
        const index = batch.indexOf(i)
        if (!isBad(index)) {
          sameRow(subject, batch.row(i), alone[index % items.length] as number[], `row ${index}`)
          continue
        }
        const error = batch.errors.get(index)
        expect(error, badAt(index).what).toBeInstanceOf(MillraceError)
        expect(error).toMatchObject({ code: badAt(index).code, index })
        expect(() => batch.row(i)).toThrow(error)
        expect([batch.tokens[i], batch.truncated[i]]).toEqual([0, 0])
        found.set(index, badAt(index).what)
      }
      expect([...batch.errors.keys()].every((index) => isBad(index))).toBe(true)
    }
    expect(found.size).toBe(20)
    expect(model.metrics()).toMatchObject({ openJobs: 0, waitingInputs: 0 })
  })

  it('bad ones are null in arrays and have their place in a matrix', async () => {
    const source = [items[0], bad[0]?.item, items[1], bad.at(-1)?.item]
    for (const order of ['input', 'completion'] as const) {
      const rows = await model.run(source, { errors: 'collect', order }).toArray()
      expect(rows.map((row) => row === null)).toEqual([false, true, false, true])
      const matrix = await model.run(source, { errors: 'collect', order, batchSize: 1 }).toMatrix()
      expect([...matrix.errors.keys()].sort()).toEqual([1, 3])
      sameRow(subject, matrix.row(0), alone[0] as number[], 'row 0')
      sameRow(subject, matrix.row(2), alone[1] as number[], 'row 2')
    }
  })

  it('nothing but bad ones is no trouble', async () => {
    const source = bad.map(({ item }) => item)
    expect(await model.run(source, { errors: 'collect' }).toArray()).toEqual(bad.map(() => null))
  })

  it.each([7, null, undefined, true])('a source that is %s is refused at once', (source) => {
    expect(() => model.run(source)).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(/^Expected .* for source/),
      }),
    )
  })

  it('no items give no rows', async () => {
    expect(await model.run([]).toArray()).toEqual([])
    const matrix = await model.run([]).toMatrix()
    expect([matrix.length, matrix.errors.size]).toEqual([0, 0])
  })
})
