/**
 * FastEmbed's own guide runs as written: each example of its README and documentation, translated word for word (`TextEmbedding(...)` is
 * `await TextEmbedding.create({ ... })`, `list(...)` is `.toArray()`, names are in camelCase), on golden models under the names that the guide uses. What
 * the numbers are is held to FastEmbed's by the goldens; here is shown that code which follows the guide works.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  ImageEmbedding,
  LateInteractionMultimodalEmbedding,
  LateInteractionTextEmbedding,
  Muvera,
  SparseTextEmbedding,
  TextCrossEncoder,
  TextEmbedding,
} from '../../index.js'
import { goldenHub } from '../support/golden-hub.js'
import { GOLDENS, goldenModel } from '../support/paths.js'

// Models are loaded in each, and the machine may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const before = { ...process.env }
beforeAll(() => {
  Object.assign(process.env, goldenHub(mkdtempSync(join(tmpdir(), 'millrace-guide-'))))
})
afterAll(() => {
  for (const name of ['HF_HUB_CACHE', 'HF_HUB_OFFLINE']) {
    if (before[name] === undefined) delete process.env[name]
    else process.env[name] = before[name]
  }
})

const documents: string[] = [
  'A mill race is the channel that leads water to the wheel of a mill.',
  'The tail race leads it back to the river.',
]

const images = ['rgb.png', 'baseline.jpg'].map((name) => join(GOLDENS, 'images', name))

describe('the quickstart', () => {
  // embedding_model = TextEmbedding(); embedding_model.embed(documents); list(embedding_model.embed(documents))
  it('embeds a list of documents with the default model', async () => {
    const embeddingModel = await TextEmbedding.create()
    const embeddingsGenerator = embeddingModel.embed(documents)
    const embeddingsList = await embeddingModel.embed(documents).toArray()
    expect(embeddingsList[0]).toHaveLength(384)
    // for doc, vector in zip(documents, embeddings_generator)
    let at = 0
    for await (const vector of embeddingsGenerator.rows()) expect(vector).toEqual(embeddingsList[at++])
    expect(at).toBe(documents.length)
    // np.array(list(embedding_model.embed(documents))).shape
    const { length, dim } = await embeddingModel.embed(documents).toMatrix()
    expect([length, dim]).toEqual([2, 384])
    await embeddingModel.close()
  })

  // TextEmbedding(model_name="BAAI/bge-small-en-v1.5")
  it('takes a model by its name', async () => {
    const model = await TextEmbedding.create({ model: 'BAAI/bge-small-en-v1.5' })
    const embeddings = await model.embed(documents).toArray()
    expect(embeddings).toHaveLength(2)
    expect(embeddings[0]).toBeInstanceOf(Float32Array)
    await model.close()
  })

  // TextEmbedding("intfloat/multilingual-e5-large").embed(["Hello, world!", …])
  it('embeds texts in several scripts', async () => {
    const multilingual = await TextEmbedding.create({ model: 'intfloat/multilingual-e5-large' })
    expect(await multilingual.embed(['Hello!', '你好', '¡Hola!', 'नमस्ते']).toArray()).toHaveLength(4)
    await multilingual.close()
  })

  // TextEmbedding.list_supported_models()
  it('lists the models that there are', () => {
    for (const family of [
      TextEmbedding,
      SparseTextEmbedding,
      LateInteractionTextEmbedding,
      ImageEmbedding,
      TextCrossEncoder,
    ]) {
      expect(family.listSupportedModels().length).toBeGreaterThan(0)
    }
    expect(TextEmbedding.listSupportedModels().map(({ model }) => model)).toContain('BAAI/bge-small-en-v1.5')
  })

  // model.query_embed("…"), model.passage_embed([…])
  it('embeds queries and passages', async () => {
    const model = await TextEmbedding.create({ model: 'BAAI/bge-small-en-v1.5' })
    const [query] = await model.queryEmbed('where does the water go?').toArray()
    const passages = await model.passageEmbed(documents).toArray()
    expect([query, ...passages].map((vector) => vector?.length)).toEqual([
      passages[0]?.length,
      passages[0]?.length,
      passages[0]?.length,
    ])
    await model.close()
  })
})

describe('parallel and batch_size', () => {
  // list(model.embed(documents, batch_size=256, parallel=4)), with None and 0 too
  it.each([null, 0, 1, 4])('of a call: parallel %s', async (parallel) => {
    const model = await TextEmbedding.create({ model: 'BAAI/bge-small-en-v1.5' })
    const plain = await model.embed(documents).toArray()
    expect(await model.embed(documents, { batchSize: 256, parallel }).toArray()).toEqual(plain)
    expect(await model.passageEmbed(documents, { batchSize: 1, parallel }).toArray()).toEqual(plain)
    await model.close()
  })

  // TextEmbedding(threads=8), written on a machine with more cores than this one may have
  it('of a model: threads and parallel beyond the cores allowed', async () => {
    for (const options of [
      { threads: 8 },
      { parallel: 64 },
      { threads: 64, parallel: 64 },
      { threads: 2, lazyLoad: true },
    ]) {
      const model = await TextEmbedding.create({ model: 'BAAI/bge-small-en-v1.5', ...options })
      expect(await model.embed(documents).toArray()).toHaveLength(2)
      await model.close()
    }
  })

  // every other family takes the same two options of a call
  it('of every family', async () => {
    const call = { batchSize: 16, parallel: 2 }
    const sparse = await SparseTextEmbedding.create({ model: 'prithivida/Splade_PP_en_v1' })
    const late = await LateInteractionTextEmbedding.create({ model: 'colbert-ir/colbertv2.0' })
    const image = await ImageEmbedding.create({ model: 'Qdrant/clip-ViT-B-32-vision' })
    const reranker = await TextCrossEncoder.create({ model: 'Xenova/ms-marco-MiniLM-L-6-v2' })
    expect(await sparse.embed(documents, call).toArray()).toHaveLength(2)
    expect(await late.embed(documents, call).toArray()).toHaveLength(2)
    expect(await image.embed(images, call).toArray()).toHaveLength(2)
    expect(await reranker.rerank('water', documents, call).toArray()).toHaveLength(2)
    await Promise.all([sparse, late, image, reranker].map((model) => model.close()))
  })
})

describe('sparse text', () => {
  // SparseTextEmbedding(model_name="prithivida/Splade_PP_en_v1"), "Qdrant/bm42-…", "Qdrant/bm25"
  it.each(['prithivida/Splade_PP_en_v1', 'Qdrant/bm42-all-minilm-l6-v2-attentions', 'Qdrant/bm25'])(
    'embeds with %s',
    async (name) => {
      const model = await SparseTextEmbedding.create({ model: name })
      const embeddings = await model.embed(documents).toArray()
      expect(embeddings).toHaveLength(2)
      for (const { indices, values } of embeddings) {
        expect(indices.length).toBeGreaterThan(0)
        expect(values).toHaveLength(indices.length)
      }
      expect(await model.queryEmbed('tail race').toArray()).toHaveLength(1)
      await model.close()
    },
  )

  // SparseTextEmbedding("Qdrant/bm25", language="german", k=1.2, b=0.75, avg_len=256)
  it('takes the options of BM25', async () => {
    const model = await SparseTextEmbedding.create({
      model: 'Qdrant/bm25',
      language: 'german',
      k: 1.2,
      b: 0.75,
      avgLen: 256,
    })
    expect(await model.embed(['Der Mühlgraben führt das Wasser zum Rad.']).toArray()).toHaveLength(1)
    await model.close()
  })
})

describe('late interaction', () => {
  // LateInteractionTextEmbedding("colbert-ir/colbertv2.0"); list(model.embed(documents)); list(model.query_embed(query))[0]
  it('gives a vector for each token, and scores by the best match of each', async () => {
    const model = await LateInteractionTextEmbedding.create({ model: 'colbert-ir/colbertv2.0' })
    const [first] = await model.embed(documents).toArray()
    const [query] = await model.queryEmbed('where does the water go?').toArray()
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0)
    const score = (query ?? []).reduce(
      (sum, token) => sum + Math.max(...(first ?? []).map((other) => dot(token, other))),
      0,
    )
    expect(Number.isFinite(score)).toBe(true)
    await model.close()
  })

  // Muvera.from_multivector_model(model, k_sim=…, dim_proj=…, r_reps=…); process_document, process_query
  it('becomes single vectors', async () => {
    const model = await LateInteractionTextEmbedding.create({ model: 'colbert-ir/colbertv2.0' })
    const muvera = await Muvera.fromModel(model, { kSim: 3, dimProj: 4, rReps: 2 })
    const [document] = await model.embed(documents).toArray()
    const [query] = await model.queryEmbed('water').toArray()
    expect(await muvera.processDocument(document ?? [])).toHaveLength(muvera.embeddingSize)
    expect(await muvera.processQuery(query ?? [])).toHaveLength(muvera.embeddingSize)
    await model.close()
  })
})

describe('images', () => {
  // ImageEmbedding(model_name="Qdrant/clip-ViT-B-32-vision"); list(model.embed(images))
  it.each(['Qdrant/clip-ViT-B-32-vision', 'Qdrant/resnet50-onnx'])('embeds paths with %s', async (name) => {
    const model = await ImageEmbedding.create({ model: name })
    expect(await model.embed(images).toArray()).toHaveLength(2)
    await model.close()
  })

  // TextEmbedding("Qdrant/clip-ViT-B-32-text") beside it
  it('are searched with texts of the same name', async () => {
    const texts = await TextEmbedding.create({ model: 'Qdrant/clip-ViT-B-32-text' })
    expect(await texts.embed(['a picture of a mill']).toArray()).toHaveLength(1)
    await texts.close()
  })

  // LateInteractionMultimodalEmbedding(…).embed_image(images), .embed_text(queries)
  it('and texts have vectors for each patch and token', async () => {
    const model = await LateInteractionMultimodalEmbedding.create({ model: 'Qdrant/colmodernvbert' })
    const [image] = await model.embedImage(images.slice(0, 1)).toArray()
    const [text] = await model.embedText(['what drives the wheel?']).toArray()
    expect(image?.[0]?.length).toBe(text?.[0]?.length)
    await model.close()
  })
})

describe('reranking', () => {
  // encoder = TextCrossEncoder(model_name=…); scores = list(encoder.rerank(query, documents)); encoder.rerank_pairs(pairs)
  it('scores documents for a query, and pairs', async () => {
    const encoder = await TextCrossEncoder.create({ model: 'Xenova/ms-marco-MiniLM-L-6-v2' })
    const query = 'where does the water go?'
    const scores = await encoder.rerank(query, documents).toArray()
    const pairs = documents.map((document): [string, string] => [query, document])
    expect(await encoder.rerankPairs(pairs).toArray()).toEqual(scores)
    // sorted(enumerate(scores), key=…, reverse=True)
    const sorted = [...scores.entries()].sort(([, a], [, b]) => b - a).map(([index]) => index)
    const ranked = await encoder.rerank(query, documents, { topN: 2 })
    expect(ranked.map(({ index }) => index)).toEqual(sorted)
    await encoder.close()
  })
})

describe('models of your own', () => {
  // TextEmbedding.add_custom_model(model=…, pooling=PoolingType.MEAN, normalization=True, sources=…, dim=…, model_file=…)
  it('are added to the list and loaded by their names', async () => {
    TextEmbedding.addCustomModel({
      model: 'guide/mine',
      modelPath: goldenModel('minilm'),
      modelFile: 'model.onnx',
      pooling: 'mean',
      normalize: true,
    })
    const model = await TextEmbedding.create({ model: 'guide/mine' })
    expect(await model.embed(documents).toArray()).toHaveLength(2)
    await model.close()
  })

  // TextEmbedding(model_name=…, specific_model_path=…), cache_dir=…, local_files_only=True
  it('lie in a directory, and nothing is downloaded', async () => {
    const model = await TextEmbedding.create({
      model: 'BAAI/bge-small-en-v1.5',
      modelPath: goldenModel('bge'),
      localFilesOnly: true,
    })
    expect(await model.tokenCount(documents)).toBeGreaterThan(0)
    await model.close()
  })
})

describe('GPUs', () => {
  // TextEmbedding(model_name=…, providers=["CUDAExecutionProvider"]), cuda=True, device_ids=[0, 1], lazy_load=True
  it('are used or refused, and device auto says which', async () => {
    const model = await TextEmbedding.create({ model: 'BAAI/bge-small-en-v1.5', device: 'auto' })
    const { devices } = (await model.info()) as unknown as { devices: unknown[] }
    expect(devices.length).toBeGreaterThan(0)
    await model.close()
    const cuda = TextEmbedding.create({ model: 'BAAI/bge-small-en-v1.5', device: 'cuda', deviceIds: [0, 1] })
    await cuda.then(
      (loaded) => loaded.close(),
      (error: unknown) => expect(error).toMatchObject({ code: 'DEVICE_UNAVAILABLE' }),
    )
  })

  it('are named by our own word where the guide names a provider', async () => {
    const providers = { providers: ['CUDAExecutionProvider'] } as object
    await expect(TextEmbedding.create(providers)).rejects.toThrow("did you mean 'device'?")
  })
})
