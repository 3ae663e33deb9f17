/** Runs one golden case and compares. Each function throws where millrace and FastEmbed differ. */

import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DenseBatch, MillraceError, TextEmbedding, type TextEmbeddingOptions } from '../../index.js'
import { goldenModel } from '../support/paths.js'
import { expectedJson, expectedMatrix, type Golden, textInputs } from './cases.js'
import { errorCode, modelOptions } from './classes.js'

/** FastEmbed's default. */
const BATCH_SIZE = 256

/** Vectors of `embed`, `query_embed` and `passage_embed`. */
export async function checkVectors(golden: Golden, name: string, dir: string): Promise<void> {
  const { shape, data } = expectedMatrix(golden)
  await using model = await TextEmbedding.create(modelOptions(golden, name, dir))
  const source = textInputs(golden)
  const batchSize = batchSizeOf(golden)
  // Where vectors depend on batch-mates, only the very same batches give the same vectors.
  const dependent = (golden.batch_invariance?.max_abs_difference ?? 0) > golden.tolerance.abs
  const options = { batchSize, batching: dependent ? 'fixed' : 'planned' } as const
  let matrix: DenseBatch
  if (golden.method === 'embed') matrix = await model.embed(source, options).toMatrix()
  else if (golden.method === 'query_embed') matrix = await model.queryEmbed(source, options).toMatrix()
  else if (golden.method === 'passage_embed') matrix = await model.passageEmbed(source, options).toMatrix()
  else throw new Error(`Unknown method ${golden.method}`)

  if (matrix.length !== shape[0] || matrix.dim !== shape[1]) {
    throw new Error(`Expected shape ${shape} but received ${matrix.length},${matrix.dim}`)
  }
  compare(matrix.data, data, golden.tolerance, shape[1])
}

function compare(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { abs, rel }: { abs: number; rel: number },
  dim: number,
): void {
  if (actual.length !== expected.length) {
    throw new Error(`Expected ${expected.length} values but received ${actual.length}`)
  }
  let wrong = 0
  let first = ''
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i] as number
    const b = expected[i] as number
    if (Math.abs(a - b) <= abs + rel * Math.abs(b)) continue // false for NaN
    if (wrong++ === 0) first = `row ${Math.floor(i / dim)} value ${i % dim}: ${a} instead of ${b}`
  }
  if (wrong > 0) throw new Error(`${wrong} of ${expected.length} values differ, first ${first}`)
}

/** The sum that `token_count` gives. */
export async function checkTokenCount(golden: Golden, name: string, dir: string): Promise<void> {
  await using model = await TextEmbedding.create(modelOptions(golden, name, dir))
  const count = await model.tokenCount(textInputs(golden))
  const expected = expectedJson<number>(golden)
  if (count !== expected) throw new Error(`Expected ${expected} tokens but received ${count}`)
}

/**
 * Encodings of the tokenizer alone. The public face shows counts, not ids, so each text's count is compared with
 * its mask; ids are compared in `crates/core/tests/tokenizer.rs`.
 */
export async function checkEncodings(golden: Golden, name: string, dir: string): Promise<void> {
  const { encodings } = expectedJson<{ encodings: { attention_mask: number[] }[] }>(golden)
  const texts = [textInputs(golden)].flat()
  if (encodings.length !== texts.length) throw new Error(`${golden.name}: ${encodings.length} encodings`)
  await using model = await TextEmbedding.create(modelOptions(golden, name, dir))
  // Both ways of counting: the tokenizer alone, and the rows that ran.
  const { tokens } = await model.embed(texts).toMatrix()
  for (const [i, { attention_mask }] of encodings.entries()) {
    const expected = attention_mask.reduce((sum, bit) => sum + bit, 0)
    const count = await model.tokenCount([texts[i] as string])
    if (count !== expected || tokens[i] !== expected) {
      throw new Error(`Expected ${expected} tokens for text ${i} but received ${count}, and ${tokens[i]} ran`)
    }
  }
}

/** A call that FastEmbed refuses: ours fails with the code that the table gives. */
export async function checkError(golden: Golden, name: string, dir: string): Promise<void> {
  const { message } = expectedJson<{ message: string }>(golden)
  const expected = errorCode(message)
  const scratch = golden.fastembed_class === 'load_tokenizer' ? withGraph(dir) : undefined
  try {
    const received = await failure(golden, name, scratch ?? dir)
    if (received !== expected) throw new Error(`Expected ${expected} but received ${received}`)
  } finally {
    if (scratch !== undefined) rmSync(scratch, { recursive: true })
  }
}

/** A copy with a graph: those directories hold none, and a missing graph must not pass for the tokenizer's error. */
function withGraph(dir: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'millrace-golden-'))
  cpSync(dir, copy, { recursive: true })
  cpSync(join(goldenModel('custom_both'), 'onnx'), join(copy, 'onnx'), { recursive: true })
  return copy
}

async function failure(golden: Golden, name: string, dir: string): Promise<string> {
  const options: TextEmbeddingOptions<'float32', 'throw'> =
    name === 'TextEmbedding' ? { model: golden.registered_model_name ?? '' } : modelOptions(golden, name, dir)
  try {
    await using model = await TextEmbedding.create(options)
    await model.embed(textInputs(golden), { batchSize: batchSizeOf(golden) }).toArray()
  } catch (error) {
    if (error instanceof MillraceError) return error.code
    throw error
  }
  return 'no error'
}

function batchSizeOf(golden: Golden): number {
  const given = golden.options['batch_size']
  return typeof given === 'number' ? given : BATCH_SIZE
}
