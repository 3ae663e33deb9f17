/** The same job for every module system: each class once, failures in the documented way, closing. */
const assert = require('node:assert/strict')
const { join } = require('node:path')
const { checkBare } = require('./stores.cjs')

const TEXTS = ['The cat sits on the mat.', 'A kitten rests on a rug.', 'Interest rates rose by half a point.']
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0)
const model = (name) => join(__dirname, 'models', name)

/** A picture of one colour. */
const picture = (value) => ({ data: new Uint8Array(60 * 50 * 3).fill(value), width: 60, height: 50, channels: 3 })

async function checkTexts({ TextEmbedding, MillraceError }) {
  const bundled = await TextEmbedding.create()
  const rows = await bundled.embed(TEXTS).toArray()
  assert.equal(rows.length, TEXTS.length)
  for (const row of rows) {
    assert.equal(row.length, 384)
    assert.ok(Math.abs(dot(row, row) - 1) < 1e-3, 'rows have length 1')
  }
  assert.ok(dot(rows[0], rows[1]) > dot(rows[0], rows[2]) + 0.2, 'what means the same lies closer')

  let seen = 0
  for await (const batch of bundled.embed(TEXTS, { batchSize: 2 })) {
    assert.equal(batch.offset, seen)
    seen += batch.length
  }
  assert.equal(seen, TEXTS.length)
  await assert.rejects(TextEmbedding.create({ model: 'no/such-model', localFilesOnly: true }), (error) => {
    assert.ok(error instanceof MillraceError)
    assert.equal(typeof error.code, 'string')
    return true
  })
  const { runtime } = await bundled.info()
  await bundled.close()
  return runtime
}

async function checkSparse({ SparseTextEmbedding }) {
  const bm25 = await SparseTextEmbedding.create({ language: 'english' })
  const [document] = await bm25.embed('cat cat dog').toArray()
  const [query] = await bm25.queryEmbed('dogs').toArray()
  assert.equal(document.indices.length, 2)
  assert.ok(document.indices.includes(query.indices[0]), 'a query finds its words')
  await bm25.close()
  const splade = await SparseTextEmbedding.create({ modelPath: model('splade'), kind: 'splade' })
  const { rowOffsets, indices, values } = await splade.embed(TEXTS).toMatrix()
  assert.equal(rowOffsets.length, TEXTS.length + 1)
  assert.equal(rowOffsets[TEXTS.length], indices.length)
  assert.equal(indices.length, values.length)
  await splade.close()
}

async function checkLateInteraction({ LateInteractionTextEmbedding, Muvera }) {
  const colbert = await LateInteractionTextEmbedding.create({ modelPath: model('colbert'), kind: 'colbert' })
  const [query] = await colbert.queryEmbed('cats').toArray()
  assert.equal(query.length, 32)
  const muvera = await Muvera.fromModel(colbert, { rReps: 2 })
  const encoded = await muvera.processDocuments(await colbert.embed(TEXTS).toMatrix())
  assert.equal(encoded.length, TEXTS.length * muvera.embeddingSize)
  await colbert.close()
}

async function checkImages({ ImageEmbedding, ImageProcessor, LateInteractionMultimodalEmbedding }) {
  const clip = await ImageEmbedding.create({ modelPath: model('clip_vision') })
  const rows = await clip.embed([picture(10), 'no-such-file.png', picture(200)], { errors: 'collect' }).toArray()
  assert.deepEqual(
    rows.map((row) => row === null),
    [false, true, false],
  )
  assert.ok(Math.abs(dot(rows[0], rows[0]) - 1) < 1e-3, 'rows have length 1')
  await clip.close()
  const processor = await ImageProcessor.create(model('clip_vision'))
  const { data, shape } = await processor.process(picture(10))
  assert.equal(data.length, shape[0] * shape[1] * shape[2] * shape[3])

  const pages = await LateInteractionMultimodalEmbedding.create({ modelPath: model('colmodernvbert') })
  const [text] = await pages.embedText('cats').toArray()
  const [page] = await pages.embedImage(picture(10)).toArray()
  assert.equal(text[0].length, page[0].length)
  await pages.close()
}

async function checkRerank({ TextCrossEncoder }) {
  const reranker = await TextCrossEncoder.create({ modelPath: model('rr_bert') })
  const scores = await reranker.rerank('cats', TEXTS).toArray()
  assert.equal(scores.length, TEXTS.length)
  const [best] = await reranker.rerank('cats', TEXTS, { topN: 1 })
  assert.equal(best.document, TEXTS[best.index])
  assert.ok(scores.every((score) => score <= best.score + 1e-4))
  await reranker.close()
}

exports.check = async (millrace) => {
  const runtime = await checkTexts(millrace)
  await checkSparse(millrace)
  await checkLateInteraction(millrace)
  await checkImages(millrace)
  await checkRerank(millrace)
  await checkBare(millrace)
  process.stdout.write(`${JSON.stringify({ node: process.versions.node, runtime })}\n`)
}
