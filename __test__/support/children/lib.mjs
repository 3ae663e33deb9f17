/** What the programs of this folder share: the built package, and how they report. */

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const entry = new URL('../../../dist/esm/index.js', import.meta.url)
if (!existsSync(fileURLToPath(entry))) throw new Error('dist is not built: run npm run setup')

/** The package as users import it. */
export const millrace = await import(entry.href)

/** Reports on a line of its own; the last line is what the test reads. */
export function report(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
