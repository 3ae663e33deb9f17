/**
 * Vectors, token counts, pixels, scores and errors against Python FastEmbed 0.9.1: one test for each case of the folder, through
 * the public classes. Every case passes or fails; only those of real weights, which are not part of the goldens, may be absent.
 */

import { afterAll, describe, expect, it } from 'vitest'
import { GOLDENS } from '../support/paths.js'
import { modelPlace, readGoldens } from './cases.js'
import { checkGolden } from './run.js'

const goldens = readGoldens()
const passed = new Map<string, number>()
const absent: string[] = []
let started = 0

describe.each(goldens.map((golden) => ({ name: golden.name, golden })))('$name', ({ golden }) => {
  it(`equals FastEmbed's ${golden.fastembed_class}`, async (test) => {
    started++
    const place = modelPlace(golden)
    if (place.kind === 'absent') {
      absent.push(golden.name)
      return test.skip(`the weights at ${place.dir} are not here`)
    }
    await checkGolden(golden)
    passed.set(golden.family, (passed.get(golden.family) ?? 0) + 1)
  })
})

it('has cases to compare with', () => {
  expect(goldens.length, `no cases in ${GOLDENS}`).toBeGreaterThan(0)
})

afterAll(() => {
  const total = [...passed.values()].reduce((sum, count) => sum + count, 0)
  const failed = started - total - absent.length
  const families = [...passed].map(([family, count]) => `${family} ${count}`).sort()
  const lines = [`goldens: ${total} passed${failed > 0 ? `, ${failed} FAILED` : ''} (${families.join(', ')})`]
  if (absent.length > 0)
    lines.push(`goldens: ${absent.length} not run, real weights absent: ${absent.join(', ')}`)
  process.stdout.write(`\n${lines.join('\n')}\n`)
})
