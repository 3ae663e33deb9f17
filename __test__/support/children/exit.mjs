/**
 * Starts inference and then ends in the way told. It says `running` once rows flow; whoever started it may send a signal
 * from then on. Nothing here closes the model.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { texts } from '../texts.mjs'
import { millrace } from './lib.mjs'

const [way, delay = '0'] = process.argv.slice(2)
const bulk = () => texts(1e9, { least: 20, most: 200 })

/** Reads forever; resolves at the first batch. */
function run(model) {
  return new Promise((resolve) => {
    ;(async () => {
      for await (const _ of model.embed(bulk(), { batchSize: 4 })) resolve()
    })()
  })
}

async function running() {
  const model = await millrace.TextEmbedding.create({ overflow: 'truncate' })
  await run(model)
  process.stdout.write('running\n')
  await sleep(Number(delay))
  return model
}

const ways = {
  /** Used and left open. */
  async 'without close'() {
    const model = await millrace.TextEmbedding.create()
    await model.embed([...texts(20)]).toArray()
  },
  async 'idle model'() {
    await millrace.TextEmbedding.create()
  },
  /** Not awaited at all: exits with nothing to wait for but the load. */
  'unawaited create'() {
    millrace.TextEmbedding.create()
  },
  'exit during create'() {
    millrace.TextEmbedding.create()
    setTimeout(() => process.exit(7), Number(delay))
  },
  /** One read, and then nobody reads any more. */
  async 'abandoned stream'() {
    const model = await millrace.TextEmbedding.create({ overflow: 'truncate' })
    await model.embed(bulk(), { batchSize: 4 })[Symbol.asyncIterator]().next()
  },
  async 'abandoned web stream'() {
    const model = await millrace.TextEmbedding.create({ overflow: 'truncate' })
    await model.embed(bulk(), { batchSize: 4 }).toReadableStream().getReader().read()
  },
  async 'unread stream'() {
    const model = await millrace.TextEmbedding.create()
    model.embed(bulk())
  },
  async 'process.exit'() {
    await running()
    process.exit(7)
  },
  async 'process.exit during close'() {
    const model = await running()
    model.close()
    process.exit(7)
  },
  async 'uncaught exception'() {
    await running()
    setImmediate(() => {
      throw new Error('nobody catches this')
    })
  },
  async 'unhandled rejection'() {
    await running()
    Promise.reject(new Error('nobody handles this'))
  },
  async signal() {
    await running()
    await sleep(60_000)
  },
  /** As a server does: a handler that closes in a bounded time. */
  async 'handled signal'() {
    const model = await millrace.TextEmbedding.create({ overflow: 'truncate' })
    process.once('SIGTERM', async () => {
      await model.close({ timeoutMs: 100 })
      process.exit(0)
    })
    run(model).then(() => process.stdout.write('running\n'))
    process.on('unhandledRejection', () => {}) // the stream's CLOSED
  },
}
if (ways[way] === undefined) throw new Error(`no way ${way}`)
await ways[way]()
