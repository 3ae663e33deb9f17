/**
 * Vectors, token counts and errors against Python FastEmbed 0.9.1: one test for each case of the folder. A case of a
 * built class passes or fails; a case of a class that is not built waits and is counted; anything else is a failure.
 */

import { afterAll, describe, expect, it } from 'vitest'
import { GOLDENS } from '../support/paths.js'
import { type Golden, modelDirectory, readGoldens } from './cases.js'
import { checkEncodings, checkError, checkTokenCount, checkVectors } from './check.js'
import { classOf, isBuilt, isWaiting } from './classes.js'

const goldens = readGoldens()
const started = new Set<string>()
const passed = new Set<string>()
const waiting = new Map<string, string[]>()
const absent: string[] = []

async function check(golden: Golden, name: string, dir: string): Promise<void> {
  if (golden.family === 'error') await checkError(golden, name, dir)
  else if (golden.family === 'tokenize') await checkEncodings(golden, name, dir)
  else if (golden.method === 'token_count') await checkTokenCount(golden, name, dir)
  else await checkVectors(golden, name, dir)
}

describe.each(goldens.map((golden) => ({ name: golden.name, golden })))('$name', ({ golden }) => {
  const name = classOf(golden, goldens)
  it(`equals FastEmbed's ${name}`, { timeout: 60_000 }, async (test) => {
    started.add(golden.name)
    if (isWaiting(name) && !isBuilt(name)) {
      waiting.set(name, [...(waiting.get(name) ?? []), golden.name])
      return test.skip(`${name} is not built yet`)
    }
    expect(isBuilt(name), `${name} is neither built nor on the list of classes to come`).toBe(true)
    const dir = modelDirectory(golden)
    if (dir === undefined && golden.model_dir?.includes('all-MiniLM-L6-v2')) {
      absent.push(golden.name)
      return test.skip(`the weights at ${golden.model_dir} are not here`)
    }
    if (dir === undefined) throw new Error(`${golden.model_dir} does not exist`)
    await check(golden, name, dir)
    passed.add(golden.name)
  })
})

it('has cases to compare with', () => {
  expect(goldens.length, `no cases in ${GOLDENS}`).toBeGreaterThan(0)
})

afterAll(() => {
  const classes = [...waiting].map(([name, cases]) => `${name}: ${cases.length}`).sort()
  const waits = [...waiting.values()].flat().length
  const failed = started.size - passed.size - waits - absent.length
  const lines = [
    `goldens: ${passed.size} passed, ${waits} wait${waits > 0 ? ` (${classes.join(', ')})` : ''}` +
      `${failed > 0 ? `, ${failed} FAILED` : ''}`,
  ]
  if (absent.length > 0)
    lines.push(`goldens: ${absent.length} not run, real weights absent: ${absent.join(', ')}`)
  process.stdout.write(`\n${lines.join('\n')}\n`)
})
