/**
 * What must hold where a test runner runs modules in a realm of their own: Jest, and vitest's `vm` pools. There, arrays and errors that Node or the
 * addon make are of another realm than the module that looks at them. One suite for all of them; each hands in its own functions.
 */
const { existsSync, mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

/** Longest time of a test, far above what it needs beside other programs. */
const HANG_MS = 180_000

exports.describeRealm = ({ test, expect, beforeAll, afterAll }, millrace) => {
  const texts = ['The cat sits on the mat.', 'A kitten rests on a rug.', 'Interest rates rose by half a point.']
  const directory = mkdtempSync(join(tmpdir(), 'millrace-realm-'))
  let model
  let rows
  let matrix

  beforeAll(async () => {
    model = await millrace.TextEmbedding.create()
    rows = await model.embed(texts).toArray()
    matrix = await model.embed(texts).toMatrix()
  }, HANG_MS)
  afterAll(async () => {
    await model.close()
    rmSync(directory, { recursive: true, force: true })
  }, HANG_MS)

  // jestjs/jest#11864: arrays of native code were of no type that a test knows.
  test('vectors are arrays of this realm', () => {
    expect(rows[0]).toBeInstanceOf(Float32Array)
    expect(rows[0]).toEqual(Float32Array.from(rows[0]))
    expect(matrix.tokens).toBeInstanceOf(Uint32Array)
  }, HANG_MS)

  test('own vectors are compared, quantised and searched', async () => {
    const [a, b] = rows
    expect(millrace.cosine(a, b)).toBeGreaterThan(millrace.cosine(a, rows[2]))
    expect(millrace.dotMany(a, matrix.data)).toBeInstanceOf(Float32Array)
    const bits = await millrace.quantize(matrix.data, matrix.dim, { dtype: 'ubinary' })
    expect(millrace.hamming(bits.data.subarray(0, 48), bits.data.subarray(0, 48))).toBe(0)
    const ranges = await millrace.calibrate(matrix.data, matrix.dim)
    const levels = await millrace.quantize(matrix.data, matrix.dim, { dtype: 'int8', ranges })
    expect(await millrace.dequantize(levels, matrix.dim)).toHaveLength(matrix.data.length)
    const batch = await model.embed(texts, { dtype: 'int8' }).toMatrix()
    expect(await millrace.dequantize(batch, matrix.dim)).toHaveLength(matrix.data.length)
    const index = new millrace.VectorIndex(matrix.dim, { dtype: 'float32' })
    for await (const part of model.embed(texts)) await index.add(part.data)
    expect((await millrace.searchFloat(a, index, { limit: 1 }))[0].index).toBe(0)
  }, HANG_MS)

  // jestjs/jest#11864's kind: "is not there" was not understood, and every new journal failed with ENOENT.
  test('a pipeline writes with a new journal, and again', async () => {
    const path = join(directory, 'docs.jsonl')
    const run = async () => {
      const pipeline = await millrace.EmbeddingPipeline.create({ sink: millrace.jsonlSink(path) })
      const report = await pipeline.run([{ id: '1', text: 'hello' }])
      await pipeline.close()
      return [report.written, report.unchanged]
    }
    expect(await run()).toEqual([1, 0])
    expect(existsSync(path)).toBe(true)
    expect(await run()).toEqual([0, 1])
  }, HANG_MS)

  test('a model that is not there is told by its code', async () => {
    const options = { model: 'BAAI/bge-small-en-v1.5', cacheDir: join(directory, 'cache'), localFilesOnly: true }
    const error = await millrace.TextEmbedding.create(options).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(millrace.MillraceError)
    expect(error.code).toBe('OFFLINE')
  }, HANG_MS)

  test('an item that is no text is told by its position', async () => {
    const error = await model.embed(['a', 7]).toArray().catch((thrown) => thrown)
    expect(error).toBeInstanceOf(millrace.MillraceError)
    expect([error.code, error.index]).toEqual(['INPUT_INVALID', 1])
  }, HANG_MS)
}
