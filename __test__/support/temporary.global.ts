/** Gives a run of the tests a folder of its own for everything temporary, and takes it away at the end. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Processes of tests inherit the environment; the second name is Windows'. */
const VARIABLES = ['TMPDIR', 'TEMP'] as const

export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tests-'))
  for (const name of VARIABLES) process.env[name] = folder
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
}
