/** Embeds texts that are too long (or, as `short`, are not) with a choice or without, and reports the codes of all warnings. */

import { setTimeout as sleep } from 'node:timers/promises'
import { millrace, report } from './lib.mjs'

const [scenario] = process.argv.slice(2)
const codes = []
process.on('warning', (warning) => codes.push(warning.code))
const model = await millrace.TextEmbedding.create(scenario === 'model' ? { overflow: 'truncate' } : {})
const options = scenario === 'call' ? { overflow: 'truncate' } : {}
const text = scenario === 'short' ? 'short' : 'hello '.repeat(1000)
for (let i = 0; i < 3; i++) await model.embed([text, text], options).toArray()
await model.queryEmbed(text, options).toArray()
await model.close()
await sleep(10) // warnings are given in a turn of their own
report(codes)
