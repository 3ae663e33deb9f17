/** Loads the bundled model and reports what it says about itself and the machine. */

import { millrace, report } from './lib.mjs'

const model = await millrace.TextEmbedding.create()
const rows = await model.embed(['a text', 'another']).toArray()
const { sessions, threadsPerSession, coresAllowed } = await model.info()
report({ sessions, threadsPerSession, coresAllowed, rows: rows.length, system: millrace.systemInfo() })
await model.close()
