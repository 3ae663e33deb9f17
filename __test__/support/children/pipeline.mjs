/**
 * A run of a pipeline over documents that are the same each time, into a file that is only added to (`log`) or into a folder with a file
 * for each document, which can be removed (`folder`). Says `ready` before it begins, and the report at its end.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EmbeddingPipeline, jsonlDeadLetters, jsonlSink } from '../../../dist/esm/index.js'
import { randomNumbers, words } from '../texts.mjs'

const [kind, dir, count] = process.argv.slice(2)

/** Writes are not atomic, and nothing is undone: the worst store that can remove. */
class FolderSink {
  name = 'folder'
  #path = join(dir, 'documents')

  async open() {
    await mkdir(this.#path, { recursive: true })
  }

  async remove(ids) {
    const gone = new Set(ids.map((id) => `${id}.`))
    for (const name of await readdir(this.#path)) {
      if (gone.has(name.slice(0, name.indexOf('.') + 1))) await rm(join(this.#path, name))
    }
  }

  async write({ records, dense }) {
    for (const [i, record] of records.entries()) {
      const vector = Buffer.from(
        dense.data.buffer,
        dense.data.byteOffset + i * dense.width * 4,
        dense.width * 4,
      )
      const name = createHash('sha1').update(record.id).digest('hex').slice(0, 12)
      const content = JSON.stringify({ ...record, vector: vector.toString('base64') })
      // A record that is there twice would be seen: `wx` fails.
      await writeFile(join(this.#path, `${record.documentId}.${name}`), content, { flag: 'wx' })
    }
  }

  async commit() {
    return null
  }

  async close() {}
}

/** One in ten says what the one before says, and some have no id. */
function* documents() {
  for (let i = 0; i < Number(count); i++) {
    const said = i % 10 === 9 ? i - 1 : i
    const random = randomNumbers(said)
    const text = `Number ${said}. ${words(60 + Math.floor(random() * 200), random)}.`
    if (i % 50 === 20) yield { id: '', text }
    else yield { id: `d${i}`, text, metadata: { i } }
  }
}

const sink = kind === 'log' ? jsonlSink(join(dir, 'out.jsonl'), { vectors: 'base64' }) : new FolderSink()
const pipeline = await EmbeddingPipeline.create({
  sink,
  journal: join(dir, 'journal'),
  deadLetters: jsonlDeadLetters(join(dir, 'failed.jsonl')),
  duplicates: 'exact',
  chunk: { maxTokens: 120 },
  batchRecords: 12,
})
process.stdout.write('ready\n')
const report = await pipeline.run(documents())
await pipeline.close()
process.stdout.write(`${JSON.stringify(report)}\n`)
