/** What stands before and after the code blocks of the documents: the variables that a reader has, and the files that they name. */

export interface Scene {
  /** TypeScript before the block. */
  before?: string
  /** TypeScript after it. */
  after?: string
}

const TEXTS = `const texts = ['a mill race', 'the channel that drives a water wheel', 'grain', 'flour']`

export const SCENES: Readonly<Record<string, Scene>> = {
  '': {},
  /** A folder `docs/` lies in the working directory, as do the other files. */
  folder: {},
  files: {},
  checkout: {},
  bundlers: {},
  stream: {
    before: `import { TextEmbedding } from 'millrace'
const model = await TextEmbedding.create()
const lines = ['one', 'two']
const { signal } = new AbortController()
const draw = (_done: number, _rate: number) => {}
const store = { async write(_offset: number, _data: Float32Array) {} }`,
  },
  families: {
    before: `import { ImageEmbedding, SparseTextEmbedding, TextCrossEncoder } from 'millrace'
${TEXTS}
const question = 'what drives the wheel?'
const documents = texts
const paths = ['photos/rgb.png', 'photos/none.png']
const store = (_batch: object) => {}`,
  },
  parts: {
    before: `import { Redis } from 'ioredis'
import { disk, memory, redis, TextChunker, TextEmbedding, tieredCache } from 'millrace'
const article = '# Mills\\n\\nA mill race drives the wheel.'
// Nobody listens there: an outage is a miss.
const client = new Redis('redis://127.0.0.1:1', { lazyConnect: true, maxRetriesPerRequest: 0 })
client.on('error', () => {})`,
    after: `const [vector] = await model.embed('a mill race').toArray()
if (vector?.length !== 384 || chunks.length === 0) throw new Error('no vector, or no chunks')
client.disconnect()`,
  },
  langchain: {
    before: `import { Document } from '@langchain/core/documents'
import { FakeVectorStore as MemoryVectorStore } from '@langchain/core/utils/testing'
const documents = [new Document({ pageContent: 'a mill race' })]`,
  },
  directory: { before: `import { TextEmbedding } from 'millrace'` },
  ai: {
    before: `const query = 'what drives the wheel?'
const documents = ['a mill race', 'flour']
const values = documents`,
    after: `if (embeddings.length !== 2 || ranking.length !== 2) throw new Error('too few results')`,
  },
  llamaindex: { before: `import { Settings } from '@llamaindex/core/global'` },
  chroma: {
    before: `import { ChromaClient } from 'chromadb'
const client = new ChromaClient()`,
  },
  lancedb: {
    before: `import { connect } from '@lancedb/lancedb'
const db = await connect('./framework-db')`,
  },
  documents: {
    before: `const documents = [{ id: 'a', text: 'a mill race' }, { id: 'b', text: 'a mill race' }]`,
  },
  prometheus: {
    before: `import { ServerResponse, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { EmbeddingPipeline, jsonlSink, TextEmbedding } from 'millrace'
const response = new ServerResponse(new IncomingMessage(new Socket()))
const model = await TextEmbedding.create()
const pipeline = await EmbeddingPipeline.create({ sink: jsonlSink('metrics.jsonl'), dense: model })`,
  },
  custom: { before: `import { TextEmbedding } from 'millrace'` },
  sink: {
    before: `import { EmbeddingPipeline, type Sink } from 'millrace'`,
    after: `const pipeline = await EmbeddingPipeline.create({ sink })
const { written } = await pipeline.run([{ id: 'a', text: 'a mill race' }])
if (written !== 1) throw new Error('nothing was written')`,
  },
  vectors: {
    before: `import { dequantize, quantize, TextEmbedding } from 'millrace'
${TEXTS}
const model = await TextEmbedding.create()`,
  },
  ranges: {
    before: `import { readFile, writeFile } from 'node:fs/promises'
import { calibrate, QuantizationRanges, quantize, TextEmbedding } from 'millrace'
${TEXTS}
const { data, dim } = await (await TextEmbedding.create()).embed(texts).toMatrix()
const sample = data`,
  },
  index: {
    before: `import { searchBinary, searchFloat, TextEmbedding, VectorIndex } from 'millrace'
${TEXTS}
const model = await TextEmbedding.create()`,
  },
}
