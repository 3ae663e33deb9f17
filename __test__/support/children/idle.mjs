/** Works, then does nothing for two seconds with the model open, and reports the processor time of those, in ms. */

import { setTimeout as sleep } from 'node:timers/promises'
import { texts } from '../texts.mjs'
import { millrace, report } from './lib.mjs'

const model = await millrace.TextEmbedding.create()
await model.embed(texts(200)).toArray()
await sleep(300) // the last run's threads come to rest
const before = process.cpuUsage()
await sleep(2000)
const { user, system } = process.cpuUsage(before)
report({ milliseconds: (user + system) / 1000 })
await model.close()
