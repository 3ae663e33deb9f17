/** The table of documents against a Map, and what it weighs. */

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DocumentTable, type Known, Outcome } from '../../src/pipeline/journal/document-table.js'

const nameOf = (of: number | string): string =>
  createHash('sha256').update(String(of)).digest('hex').slice(0, 32)

describe('the table of documents', () => {
  it('knows what a Map would know', () => {
    const step = fc.record({
      id: fc.integer({ min: 0, max: 40 }),
      outcome: fc.constantFrom(...Object.values(Outcome)),
      content: fc.integer({ min: 0, max: 3 }),
      see: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const table = new DocumentTable()
        const known = new Map<number, Known>()
        const seen = new Set<number>()
        for (const { id, outcome, content, see } of steps) {
          const name = nameOf(id)
          if (see) {
            expect(table.see(name)).toBe(!seen.has(id))
            seen.add(id)
            if (!known.has(id)) known.set(id, { outcome: Outcome.none, content: '0'.repeat(32) })
          } else {
            table.set(name, outcome, nameOf(content))
            known.set(id, { outcome, content: nameOf(content) })
          }
          expect(table.get(name)).toEqual(known.get(id))
        }
        expect(table.size).toBe(known.size)
        for (const outcome of Object.values(Outcome)) {
          const expected = [...known.values()].filter((one) => one.outcome === outcome).length
          expect(table.count(outcome)).toBe(expected)
        }
        table.forgetSeen()
        for (const id of known.keys()) expect(table.see(nameOf(id))).toBe(true)
      }),
    )
  })

  it('takes up to 144 bytes a document', () => {
    const table = new DocumentTable()
    const names = Array.from({ length: 200_000 }, (_, i) => nameOf(i))
    for (const name of names) table.set(name, Outcome.written, name)
    expect(table.size).toBe(200_000)
    expect(table.bytes / table.size).toBeLessThanOrEqual(144 * 1.2)
    for (const name of names.slice(0, 1000)) expect(table.get(name)?.content).toBe(name)
  })
})
