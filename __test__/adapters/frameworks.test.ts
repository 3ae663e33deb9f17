/** The adapters in the real frameworks, over the bundled model. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, embedding as lance } from '@lancedb/lancedb'
import { Document } from '@langchain/core/documents'
import { VectorStore } from '@langchain/core/vectorstores'
import { Document as LlamaDocument, MetadataMode } from '@llamaindex/core/schema'
import { cosineSimilarity } from 'ai'
import { ChromaClient, getEmbeddingFunction, knownEmbeddingFunctions } from 'chromadb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MillraceError, SparseTextEmbedding, TextCrossEncoder, TextEmbedding } from '../../index.js'
import { MillraceEmbeddingFunction, MillraceSparseEmbeddingFunction } from '../../src/adapters/chroma.js'
import { MillraceEmbeddings, MillraceRerank } from '../../src/adapters/langchain.js'
import { MillraceEmbedding } from '../../src/adapters/llamaindex.js'
import '../../src/adapters/lancedb.js'
import { goldenModel } from '../support/paths.js'

const TEXTS = ['a mill race drives a water wheel', 'resizing a partition of a disk', 'a recipe for bread']
const QUESTION = 'how do I enlarge a partition?'
const BUNDLED = 'sentence-transformers/all-MiniLM-L6-v2'
const RERANKER = goldenModel('rr_bert')

let model: TextEmbedding
let expected: number[][]

beforeAll(async () => {
  model = await TextEmbedding.create()
  expected = (await model.embed(TEXTS).toArray()).map((row) => [...row])
})
afterAll(() => model.close())

describe('LangChain', () => {
  /** The least store that LangChain's own retriever runs on: exact, in memory. */
  class Rows extends VectorStore {
    readonly rows: { vector: number[]; document: Document }[] = []
    _vectorstoreType() {
      return 'rows'
    }
    async addVectors(vectors: number[][], documents: Document[]) {
      for (const [i, vector] of vectors.entries())
        this.rows.push({ vector, document: documents[i] as Document })
    }
    async addDocuments(documents: Document[]) {
      await this.addVectors(
        await this.embeddings.embedDocuments(documents.map((d) => d.pageContent)),
        documents,
      )
    }
    async similaritySearchVectorWithScore(query: number[], k: number): Promise<[Document, number][]> {
      const scored = this.rows.map(({ vector, document }): [Document, number] => [
        document,
        cosineSimilarity(query, vector),
      ])
      return scored.sort(([, a], [, b]) => b - a).slice(0, k)
    }
  }

  it('embeds documents and queries for a retriever', async () => {
    await using embeddings = new MillraceEmbeddings()
    expect(await embeddings.embedDocuments(TEXTS)).toEqual(expected)
    const store = new Rows(embeddings, {})
    await store.addDocuments(TEXTS.map((pageContent) => new Document({ pageContent })))
    const [best] = await store.asRetriever(1).invoke(QUESTION)
    expect(best?.pageContent).toBe(TEXTS[1])
  })

  it('works in a Proxy and as a copy, and names its model', async () => {
    const embeddings = new MillraceEmbeddings()
    expect(embeddings.model).toBe(BUNDLED)
    const copy = Object.assign(Object.create(MillraceEmbeddings.prototype) as MillraceEmbeddings, embeddings)
    for (const other of [new Proxy(embeddings, {}), copy]) {
      expect(await other.embedDocuments(TEXTS)).toEqual(expected)
      expect(await other.embedQuery(TEXTS[0] as string)).toEqual(expected[0])
    }
    const reranker = new Proxy(new MillraceRerank({ modelPath: RERANKER, topN: 1 }), {})
    expect(await reranker.compressDocuments([new Document({ pageContent: 'x' })], 'x')).toHaveLength(1)
    await reranker.close()
    await embeddings.close()
  })

  it('uses a model that is there and leaves it open', async () => {
    const embeddings = new MillraceEmbeddings({ embedding: model })
    expect(await embeddings.embedQuery(TEXTS[0] as string)).toEqual(expected[0])
    await embeddings.close()
    expect((await model.embed('still there').toArray()).length).toBe(1)
  })

  it('compresses documents with a cross encoder', async () => {
    const reranker = await TextCrossEncoder.create({ modelPath: RERANKER })
    const compressor = new MillraceRerank({ reranker, topN: 2 })
    const documents = TEXTS.map((pageContent, i) => new Document({ pageContent, metadata: { i } }))
    const kept = await compressor.compressDocuments(documents, QUESTION)
    const scores = await reranker.rerank(QUESTION, TEXTS).toArray()
    const best = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number)).slice(0, 2)
    expect(kept.map(({ metadata }) => metadata['i'])).toEqual(best)
    // Not plain objects: chains ask `instanceof Document` (langchain-ai/langchainjs#3316).
    expect(kept.every((document) => document instanceof Document)).toBe(true)
    for (const [at, i] of best.entries()) {
      // A cross encoder pools inside its graph: equal within rounding between batches.
      expect(kept[at]?.metadata['relevanceScore']).toBeCloseTo(scores[i] as number, 4)
    }
    expect(await compressor.compressDocuments([], QUESTION)).toEqual([])
    await reranker.close()
  })
})

describe('LlamaIndex', () => {
  it('embeds nodes, texts and queries', async () => {
    const embedding = new MillraceEmbedding()
    const nodes = TEXTS.map((text) => new LlamaDocument({ text }))
    const embedded = await embedding(nodes)
    expect(embedded.map((node) => node.getEmbedding())).toEqual(expected)
    expect(embedded[0]?.getContent(MetadataMode.NONE)).toBe(TEXTS[0])
    expect(await embedding.getTextEmbedding(TEXTS[2] as string)).toEqual(expected[2])
    const query = await embedding.getQueryEmbedding({ type: 'text', text: QUESTION })
    const scores = expected.map((row) => embedding.similarity(query as number[], row))
    expect(scores.indexOf(Math.max(...scores))).toBe(1)
    const seen: number[] = []
    await embedding.getTextEmbeddingsBatch(TEXTS, { progressCallback: (current) => seen.push(current) })
    expect(seen.length).toBeGreaterThan(0)
    expect(await new Proxy(embedding, {}).getTextEmbedding(TEXTS[2] as string)).toEqual(expected[2])
    expect(embedding.model).toBe(BUNDLED)
    await embedding.close()
  })
})

describe('Chroma', () => {
  it('embeds texts and queries', async () => {
    const dense = new MillraceEmbeddingFunction()
    expect(await dense.generate(TEXTS)).toEqual(expected)
    expect(await dense.generateForQueries([TEXTS[0] as string])).toEqual([expected[0]])
    await dense.close()
  })

  it('works in a Proxy', async () => {
    const dense = new Proxy(new MillraceEmbeddingFunction(), {})
    expect(await dense.generate(TEXTS)).toEqual(expected)
    expect(dense.getConfig()).toEqual({ model: BUNDLED })
    await dense.close()
    const sparse = new Proxy(new MillraceSparseEmbeddingFunction(), {})
    expect(await sparse.generate(TEXTS)).toHaveLength(TEXTS.length)
    await sparse.close()
  })

  // Without a name, a later default of as many dimensions would answer old collections with vectors of another space.
  it('keeps the name of a model that nobody named', () => {
    expect(new MillraceEmbeddingFunction().getConfig()).toEqual({ model: BUNDLED })
    expect(new MillraceEmbeddingFunction({ embedding: model }).getConfig()).toEqual({ model: BUNDLED })
    expect(new MillraceEmbeddingFunction({ modelPath: '/models/own' }).getConfig()).toEqual({
      model: 'own',
      modelPath: '/models/own',
    })
    expect(new MillraceSparseEmbeddingFunction().getConfig()).toEqual({ model: 'Qdrant/bm25' })
    expect(MillraceEmbeddingFunction.buildFromConfig({}).getConfig()).toEqual({ model: BUNDLED })
    const other = () => new MillraceEmbeddingFunction().validateConfigUpdate({ model: 'another' })
    expect(other).toThrow(/Expected the model that the collection was made with/)
  })

  it('is found again by its name and configuration', async () => {
    expect(knownEmbeddingFunctions.get('millrace')).toBe(MillraceEmbeddingFunction)
    const config = new MillraceEmbeddingFunction({ model: BUNDLED, dimensions: 128, threads: 1 }).getConfig()
    expect(config).toEqual({ model: BUNDLED, dimensions: 128 })
    const again = await getEmbeddingFunction({
      client: new ChromaClient(),
      efConfig: { type: 'known', name: 'millrace', config },
    })
    const [row] = (await again?.generate(['x'])) ?? []
    expect(row?.length).toBe(128)
    expect(() => again?.validateConfigUpdate?.({ model: 'another' })).toThrow(MillraceError)
    await (again as MillraceEmbeddingFunction).close()
  })

  it('makes sparse vectors in ascending order', async () => {
    const sparse = new MillraceSparseEmbeddingFunction({ language: 'english' })
    const [row] = await sparse.generate([TEXTS[0] as string])
    const bm25 = await SparseTextEmbedding.create()
    const [own] = await bm25.passageEmbed(TEXTS[0] as string).toArray()
    expect(row?.indices).toEqual([...(own?.indices ?? [])].sort((a, b) => a - b))
    expect(new Map(row?.indices.map((index, i) => [index, row.values[i]]))).toEqual(
      new Map([...(own?.indices ?? [])].map((index, i) => [index, own?.values[i]])),
    )
    await bm25.close()
    await sparse.close()
  })
})

describe('LanceDB', () => {
  const fresh = () => mkdtemp(join(tmpdir(), 'millrace-lance-'))
  const create = async (options?: object) =>
    (await lance.getRegistry().get('millrace')?.create(options)) as lance.TextEmbeddingFunction
  const schemaOf = (func: lance.TextEmbeddingFunction) =>
    lance.LanceSchema({ text: func.sourceField(), vector: func.vectorField() })

  it('embeds what is added to a table, and queries', async () => {
    const directory = await fresh()
    const func = await create({ model: BUNDLED })
    expect(func.ndims()).toBe(384)
    const db = await connect(directory)
    const table = await db.createEmptyTable('texts', schemaOf(func))
    await table.add(TEXTS.map((text) => ({ text })))
    const again = await (await connect(directory)).openTable('texts')
    const [best] = await again.search(QUESTION).limit(1).toArray()
    expect(best.text).toBe(TEXTS[1])
    expect([...best.vector]).toEqual(expected[1])
    await rm(directory, { recursive: true, force: true })
  })

  it.each([
    ['first', [null, ...TEXTS]],
    ['between others', [TEXTS[0], null, TEXTS[1]]],
    ['alone', [null]],
  ])('adds a row whose text is null, %s', async (_, texts) => {
    const directory = await fresh()
    const table = await (await connect(directory)).createEmptyTable('texts', schemaOf(await create()))
    await table.add(texts.map((text) => ({ text })))
    const rows = await table.query().toArray()
    expect(rows.map(({ text, vector }) => [text, vector === null])).toEqual(
      texts.map((text) => [text, text === null]),
    )
    await rm(directory, { recursive: true, force: true })
  })

  it('names its model in the table, and refuses a table of vectors of another length', async () => {
    const directory = await fresh()
    const func = await create()
    const table = await (await connect(directory)).createEmptyTable('texts', schemaOf(func))
    const { metadata } = await table.schema()
    const [kept] = JSON.parse(metadata.get('embedding_functions') as string)
    expect(kept).toMatchObject({ name: 'millrace', model: { model: BUNDLED, dim: 384 } })
    expect(await create(kept.model)).toBeInstanceOf(lance.TextEmbeddingFunction)
    await expect(create({ ...kept.model, dim: 128 })).rejects.toMatchObject({ code: 'MODEL_INVALID' })
    await expect(create({ model: 'no/such-model' })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    await rm(directory, { recursive: true, force: true })
  })
})
