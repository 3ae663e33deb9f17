/** The built package under test runners that run modules in a realm of their own, as programs of their own. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../support/paths.js'

const FOLDER = join(ROOT, '__test__', 'realms')
/** Tests of `suite.cjs`. */
const TESTS = 5

interface Report {
  numPassedTests: number
  numFailedTests: number
  testResults: { message?: string; assertionResults: { title: string; failureMessages: string[] }[] }[]
}

/** Runs a test runner that reports as JSON, and returns what failed with how many passed. */
function run(...args: string[]): { passed: number; failures: string[] } {
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    // This process is a worker of vitest, whose settings are not those of the program.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST|NODE_)/.test(name)),
    ),
  })
  const begin = stdout.indexOf('{"')
  if (begin < 0) return { passed: 0, failures: [stdout, stderr] }
  const report = JSON.parse(stdout.slice(begin)) as Report
  const failures = report.testResults.flatMap(({ message, assertionResults }) => [
    ...(message ? [message] : []),
    ...assertionResults.flatMap(({ failureMessages }) => failureMessages),
  ])
  return { passed: report.numPassedTests, failures }
}

const bin = (path: string) => join(ROOT, 'node_modules', path)

describe('the package', () => {
  it('works under Jest', () => {
    const config = {
      rootDir: FOLDER,
      testMatch: ['**/*.jest.cjs'],
      testEnvironment: 'node',
      transform: {},
      haste: { enableSymlinks: false },
      modulePathIgnorePatterns: [],
    }
    const result = run(bin('jest/bin/jest.js'), '--json', '--config', JSON.stringify(config))
    expect(result).toEqual({ passed: TESTS, failures: [] })
  })

  it.each(['vmForks', 'vmThreads'])('works in the pool %s of vitest', (pool) => {
    const result = run(
      bin('vitest/vitest.mjs'),
      'run',
      '--config',
      join(FOLDER, 'vm.config.mjs'),
      `--pool=${pool}`,
      '--reporter=json',
    )
    expect(result).toEqual({ passed: TESTS, failures: [] })
  })
})
