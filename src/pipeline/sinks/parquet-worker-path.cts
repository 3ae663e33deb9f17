/** Where the thread of the Parquet sink is. A CommonJS file, because a file's own place is known here in both builds without `import.meta`. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The file beside this one; or nothing where this runs from the sources, which no thread can run. */
export function workerBeside(): string | undefined {
  const path = join(__dirname, 'parquet-worker.cjs')
  return existsSync(path) ? path : undefined
}
