/**
 * Every family: output i belongs to input i, none lost or doubled, and a row does not depend on who shares its run. Random calls
 * at once, with duplicates, batch sizes, priorities, orders and cancellations, against the rows of the items alone.
 */

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Model, numbersOf, rowsAlone, SUBJECTS, type Subject, sameRow } from './subjects.js'

interface Call {
  picks: number[]
  batchSize: number
  batching: 'planned' | 'fixed'
  order: 'input' | 'completion'
  priority: number
  /** Batches to read before the loop is left; a number past the end reads all. */
  breakAfter: number
}

const callOf = (items: number): fc.Arbitrary<Call> =>
  fc.record({
    picks: fc.array(fc.nat(items - 1), { maxLength: 24 }),
    batchSize: fc.integer({ min: 1, max: 16 }),
    batching: fc.constantFrom('planned', 'fixed'),
    order: fc.constantFrom('input', 'completion'),
    priority: fc.integer({ min: -3, max: 3 }),
    breakAfter: fc.oneof({ weight: 4, arbitrary: fc.constant(1000) }, { weight: 1, arbitrary: fc.nat(3) }),
  })

describe.each(SUBJECTS.map((subject) => ({ name: subject.name, subject })))('$name', ({ subject }) => {
  let model: Model
  let alone: number[][]

  beforeAll(async () => {
    model = await subject.open()
    alone = await rowsAlone(model, subject.items)
  })
  afterAll(() => model.close())

  it('has items whose rows differ, so that a misplaced one shows', () => {
    const different = new Set(alone.map((row) => JSON.stringify(row)))
    expect(different.size).toBeGreaterThanOrEqual(subject.items.length - 2)
  })

  it('gives a row alone and in company, in whatever order', async () => {
    const { items } = subject
    const together = await model.run([...items]).toArray()
    expect(together.length).toBe(items.length)
    for (const [i, row] of together.entries()) sameRow(subject, row, alone[i] as number[], `row ${i}`)
    const backwards = await model.run([...items].reverse(), { batchSize: 5 }).toArray()
    for (const [i, row] of backwards.reverse().entries()) {
      sameRow(subject, row, alone[i] as number[], `row ${i} backwards`)
    }
  })

  it('keeps rows of concurrent calls with their items', async () => {
    const call = callOf(subject.items.length)
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 5 }), async (calls) => {
        await Promise.all(calls.map((one) => verify(subject, model, one, alone)))
      }),
      { numRuns: 25, seed: 20260301 },
    )
    expect(model.metrics().openJobs).toBe(0)
  })

  it.each([null, 1, 0])('does so with parallel %s', async (parallel) => {
    const other = await subject.open({ parallel })
    try {
      const picks = Array.from({ length: 3 * subject.items.length }, (_, i) => (i * 5) % subject.items.length)
      const call: Call = {
        picks,
        batchSize: 4,
        batching: 'planned',
        order: 'input',
        priority: 0,
        breakAfter: 1000,
      }
      await Promise.all([
        verify(subject, other, call, alone),
        verify(subject, other, { ...call, priority: 5, batchSize: 7 }, alone),
      ])
    } finally {
      await other.close()
    }
  })

  it('puts rows that come as they are done into input order in one matrix', async () => {
    const picks = Array.from({ length: 40 }, (_, i) => (i * 3) % subject.items.length)
    const source = picks.map((pick) => subject.items[pick])
    const expected = await model.run(source).toMatrix()
    const matrix = await model.run(source, { order: 'completion', batchSize: 6 }).toMatrix()
    expect(matrix.positions).toBeUndefined()
    expect([matrix.offset, matrix.length]).toEqual([0, 40])
    for (const [i, pick] of picks.entries()) {
      sameRow(subject, matrix.row(i), alone[pick] as number[], `row ${i} of the matrix`)
      sameRow(subject, expected.row(i), alone[pick] as number[], `row ${i} in order`)
    }
    expect([...matrix.tokens]).toEqual([...expected.tokens])
    expect([...matrix.truncated]).toEqual([...expected.truncated])
  })
})

async function verify(
  subject: Subject,
  model: Model,
  { picks, breakAfter, ...options }: Call,
  alone: readonly number[][],
): Promise<void> {
  const source = picks.map((pick) => subject.items[pick])
  const seen = new Set<number>()
  let batches = 0
  let rows = 0
  for await (const batch of model.run(source, options)) {
    if (batches++ >= breakAfter) return
    expect(batch.length).toBeGreaterThan(0)
    expect(batch.length).toBeLessThanOrEqual(options.batchSize)
    expect(batch.offset).toBe(rows)
    rows += batch.length
    for (let i = 0; i < batch.length; i++) {
      const index = batch.indexOf(i)
      if (seen.has(index)) throw new Error(`row ${index} came twice`)
      seen.add(index)
      if (options.order === 'input') expect(index).toBe(batch.offset + i)
      const what = `row ${index} in ${JSON.stringify(options)}`
      sameRow(subject, batch.row(i), alone[picks[index] as number] as number[], what)
    }
  }
  expect(seen.size).toBe(picks.length)
}

it('compares numbers of any row', () => {
  expect(numbersOf({ indices: Uint32Array.of(1, 2), values: Float32Array.of(3, 4) })).toEqual([1, 2, 3, 4])
  expect(numbersOf([Float32Array.of(1), Float32Array.of(2)])).toEqual([1, 2])
})
