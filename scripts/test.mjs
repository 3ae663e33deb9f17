/**
 * Runs test suites one after the other, each with its own summary, and closes with one line over all of them:
 * `N passed, N failed`. Ends with 1 when anything failed, a suite that could not run included.
 *
 *   node scripts/test.mjs --suites=rust,types,ts,goldens,install [NAME_FILTER...]
 *
 * Filters are handed to cargo test and vitest as they are.
 */

import { print } from './lib/print.mjs'
import { SetupError, script } from './lib/run.mjs'
import { SUITES } from './lib/suites.mjs'
import { closingLine, none, settle, sum } from './lib/tally.mjs'

await script('test', async (args) => {
  const wanted =
    args
      .find((arg) => arg.startsWith('--suites='))
      ?.slice('--suites='.length)
      .split(',') ?? Object.keys(SUITES)
  const filters = args.filter((arg) => !arg.startsWith('--suites='))
  const unknown = wanted.filter((name) => !Object.hasOwn(SUITES, name))
  if (unknown.length > 0) {
    throw new SetupError(
      `Expected suites of ${Object.keys(SUITES).join(', ')} but received ${unknown.join(', ')}`,
    )
  }

  const results = []
  for (const name of wanted) {
    print(`\n── ${name}: ${SUITES[name].what}`)
    const started = performance.now()
    const { tally, code, problem } = await SUITES[name].run(filters).catch((error) => ({
      tally: none(),
      code: 1,
      problem: error.message,
    }))
    if (problem !== undefined) print(problem)
    results.push({ name, ...settle(tally, code), seconds: (performance.now() - started) / 1000 })
  }

  print('')
  for (const { name, passed, failed, skipped, seconds } of results) {
    const rest = skipped > 0 ? `, ${skipped} skipped` : ''
    print(`${name}: ${closingLine({ passed, failed })}${rest} (${seconds.toFixed(1)} s)`)
  }
  const total = sum(results)
  print(closingLine(total))
  if (total.failed > 0) process.exitCode = 1
})
