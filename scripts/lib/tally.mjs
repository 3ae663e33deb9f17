/**
 * Reads how many tests passed and failed out of what each runner leaves behind, and sums them. A runner that ended
 * badly without naming a failed test counts as one failure: a suite that could not run never looks green.
 */

/** @typedef {{ passed: number, failed: number, skipped: number }} Tally */

export const none = () => ({ passed: 0, failed: 0, skipped: 0 })

/** @returns {Tally} */
export function sum(tallies) {
  const total = none()
  for (const { passed, failed, skipped } of tallies) {
    total.passed += passed
    total.failed += failed
    total.skipped += skipped
  }
  return total
}

/** A suite's tally together with its exit code. */
export function settle(tally, code) {
  const ran = tally.passed + tally.failed > 0
  if (tally.failed === 0 && (code !== 0 || !ran)) return { ...tally, failed: 1 }
  return tally
}

/** Sums cargo's "test result:" lines, one for each test binary and documentation run. */
export function tallyCargo(output) {
  const lines = output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)
  return sum(
    [...lines].map(([, passed, failed, skipped]) => ({
      passed: +passed,
      failed: +failed,
      skipped: +skipped,
    })),
  )
}

/** Vitest's JSON report. A file that failed to load has no tests of its own but counts. */
export function tallyVitest(report) {
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + (report.numTodoTests ?? 0),
  }
}

/** The closing line of our own runners: `N passed, N failed`. */
export function tallyClosingLine(output) {
  const found = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/gm)].at(-1)
  if (found === undefined) return none()
  return { passed: +found[1], failed: +found[2], skipped: +(found[3] ?? 0) }
}

export const closingLine = ({ passed, failed }) => `${passed} passed, ${failed} failed`
