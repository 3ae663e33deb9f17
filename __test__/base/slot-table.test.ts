import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SlotTable } from '../../src/base/slot-table.js'

const LAYOUT = { slot: 4, key: 2, probe: 1 }

/** Few values, so that keys meet: equal ones, and different ones that begin their search at the same slot. */
const key = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.constantFrom(0, 1, 63, 64, 127, 2 ** 32 - 1))

it('finds what was taken, as a map does, however it grows', () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 200 }), (keys) => {
      const table = SlotTable.empty(LAYOUT, 4)
      const map = new Map<string, number>()
      for (const [i, key] of keys.entries()) {
        const at = table.take(key)
        table.numbers.set([i, 1], at + 2)
        map.set(key.join(), i)
      }
      expect(table.used).toBe(map.size)
      expect(table.used * 2).toBeLessThanOrEqual(table.numbers.length / LAYOUT.slot)
      for (const key of keys) {
        const at = table.find(key)
        expect(table.isUsed(at)).toBe(true)
        expect(table.numbers[at + 2]).toBe(map.get(key.join()))
      }
      expect(table.isUsed(table.find([41, 1]))).toBe(false)
    }),
  )
})
