/** Duplicates among texts that come some at a time. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DuplicateFinder, markDuplicates } from '../../index.js'

describe('DuplicateFinder', () => {
  it('gives the marks of all texts together, however they come', async () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 }).map((words) => words.join(' '))
    const near = fc.option(fc.double({ min: 0.05, max: 1, noNaN: true }), { nil: false as const })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(text, { maxLength: 5 }), { maxLength: 8 }),
        near,
        async (slices, near) => {
          const finder = new DuplicateFinder({ near })
          // All at once: calls are taken in their order.
          const marks = (await Promise.all(slices.map((slice) => finder.add(slice)))).flat()
          expect(marks).toEqual(await markDuplicates(slices.flat(), { near }))
          expect(finder.length).toBe(slices.flat().length)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('refuses what is no text, and goes on', async () => {
    const finder = new DuplicateFinder()
    await expect(finder.add(['a', 3 as unknown as string])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      index: 1,
    })
    expect(await finder.add(['a'])).toEqual([undefined])
    expect(await finder.add(['a'])).toEqual([{ of: 0, similarity: 1, exact: true }])
    expect(() => new DuplicateFinder({ near: 2 })).toThrow(/near/)
  })
})
