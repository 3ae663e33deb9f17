/** Asks for more sessions and threads than any machine has, and reports what it got and the codes of all warnings. */

import { setTimeout as sleep } from 'node:timers/promises'
import { millrace, report } from './lib.mjs'

const warnings = []
process.on('warning', ({ code, message, detail }) => warnings.push({ code, message, detail }))
const models = []
for (const options of [
  { parallel: 5000 },
  { threads: 5000 },
  { parallel: 5000, threads: 4000 },
  { parallel: 1, threads: 1 },
]) {
  const model = await millrace.TextEmbedding.create(options)
  const { sessions, threadsPerSession, coresAllowed, clamped } = await model.info()
  const rows = (await model.embed(['a', 'b']).toArray()).length
  models.push({ sessions, threadsPerSession, coresAllowed, clamped, rows })
  await model.close()
}
await sleep(10) // warnings are given in a turn of their own
report({ models, warnings })
