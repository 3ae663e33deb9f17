/**
 * Loads a model where hardly any thread can be made, and reports what became of it. `up` on a line of its own says that Node itself
 * has all threads it wants, so that whatever happens afterwards is the addon's doing.
 */

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

// Node makes the threads of its pool at the first use of files, and aborts where it cannot.
await Promise.all(Array.from({ length: 8 }, () => readFile(fileURLToPath(import.meta.url))))
process.stdout.write('up\n')
const { millrace, report } = await import('./lib.mjs')
const outcomes = []
for (const options of [{}, { parallel: null }]) {
  try {
    const model = await millrace.TextEmbedding.create(options)
    const rows = await model.embed(['a', 'b']).toArray()
    await model.close()
    outcomes.push({ rows: rows.length })
  } catch (error) {
    outcomes.push({
      code: error.code,
      isOurs: error instanceof millrace.MillraceError,
      message: error.message,
    })
  }
}
report(outcomes)
