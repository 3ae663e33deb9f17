/** Uses millrace from worker threads in the way told; the same file is the worker. Reports what came of it. */

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { texts } from '../texts.mjs'
import { millrace, report } from './lib.mjs'

const file = fileURLToPath(import.meta.url)
const TEXTS = [...texts(12, { seed: 3 })]
const work = (data) => new Worker(file, { workerData: data })

const vectors = async (model) => (await model.embed(TEXTS).toMatrix()).data

const ways = {
  /** Four load at once; all get the vectors that the main thread gets. */
  async 'load at once'() {
    const workers = ['rows', 'rows', 'rows', 'rows'].map(work)
    const first = (event) => Promise.all(workers.map(async (worker) => (await once(worker, event))[0]))
    const [answers, codes] = await Promise.all([first('message'), first('exit')])
    const model = await millrace.TextEmbedding.create()
    const mine = Buffer.from((await vectors(model)).buffer)
    report({ codes, same: answers.map((answer) => Buffer.from(answer.buffer).equals(mine)) })
  },
  /** Workers end in the middle of runs, again and again; the main thread works on. */
  async 'terminate mid-run'() {
    const model = await millrace.TextEmbedding.create()
    const expected = Buffer.from((await vectors(model)).buffer)
    let right = 0
    for (let i = 0; i < 20; i++) {
      const worker = work('endless')
      await once(worker, 'message')
      await sleep(i * 3)
      await worker.terminate()
      if (Buffer.from((await vectors(model)).buffer).equals(expected)) right++
    }
    const before = process.cpuUsage()
    await sleep(1000)
    const { user, system } = process.cpuUsage(before)
    report({ right, idleMilliseconds: (user + system) / 1000 })
    await model.close()
  },
  /** Workers end while they load, where nothing has been loaded in the main thread. */
  async 'terminate during load'() {
    for (let i = 0; i < 12; i++) {
      const worker = work('rows')
      await sleep(i * 20)
      await worker.terminate()
    }
    const model = await millrace.TextEmbedding.create()
    report({ rows: (await model.embed(TEXTS).toArray()).length })
  },
  /** Main thread and worker each with a model, at work at the same time. */
  async sharing() {
    const model = await millrace.TextEmbedding.create()
    const worker = work('rows')
    const answer = once(worker, 'message')
    const mine = Buffer.from((await vectors(model)).buffer)
    const [theirs] = await answer
    report({ same: Buffer.from(theirs.buffer).equals(mine) })
  },
  /** The process ends while workers are in the middle of runs. */
  async 'exit mid-run'() {
    const workers = [work('endless'), work('endless')]
    await Promise.all(workers.map((worker) => once(worker, 'message')))
    process.exit(7)
  },
}

const roles = {
  async rows() {
    const model = await millrace.TextEmbedding.create()
    parentPort.postMessage(await vectors(model))
  },
  async endless() {
    const model = await millrace.TextEmbedding.create({ overflow: 'truncate' })
    let told = false
    for await (const _ of model.embed(texts(1e9, { least: 20, most: 200 }), { batchSize: 4 })) {
      if (!told) parentPort.postMessage('running')
      told = true
    }
  },
}

await (isMainThread ? ways[process.argv[2]]() : roles[workerData]())
