/** The same short job for every module system: embed, compare, fail in the documented way, close. */
const assert = require('node:assert/strict')

const TEXTS = ['The cat sits on the mat.', 'A kitten rests on a rug.', 'Interest rates rose by half a point.']
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0)

exports.check = async ({ TextEmbedding, MillraceError }) => {
  const model = await TextEmbedding.create()
  const rows = await model.embed(TEXTS).toArray()
  assert.equal(rows.length, TEXTS.length)
  for (const row of rows) {
    assert.equal(row.length, 384)
    assert.ok(Math.abs(dot(row, row) - 1) < 1e-3, 'rows have length 1')
  }
  assert.ok(dot(rows[0], rows[1]) > dot(rows[0], rows[2]) + 0.2, 'what means the same lies closer')

  let seen = 0
  for await (const batch of model.embed(TEXTS, { batchSize: 2 })) {
    assert.equal(batch.offset, seen)
    seen += batch.length
  }
  assert.equal(seen, TEXTS.length)
  await assert.rejects(TextEmbedding.create({ model: 'no/such-model', localFilesOnly: true }), (error) => {
    assert.ok(error instanceof MillraceError)
    assert.equal(typeof error.code, 'string')
    return true
  })
  const { runtime } = await model.info()
  await model.close()
  process.stdout.write(`${JSON.stringify({ node: process.versions.node, runtime })}\n`)
}
