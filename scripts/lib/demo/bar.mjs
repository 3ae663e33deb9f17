/** The command line's progress view: a bar on a terminal, else a line every few seconds. */

/** Only after set-up: it is a built file. */
export async function bar() {
  const { progressView } = await import('../../../dist/esm/src/cli/running/progress.js')
  return progressView('texts', false)
}
