/**
 * A model directory with random weights, for what depends on the size of a model and not on its numbers: one layer of
 * attention as PyTorch exports it (its scores are written to memory), and a tokenizer of a thousand words.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FLOAT, floats, INT64, int, integers, ints, node, onnxFile, port } from './onnx-file.mjs'

const WORDS = 1000

/**
 * Writes the model into `dir`.
 *
 * @param {string} dir
 * @param {{ heads?: number, headSize?: number, limit?: number, config?: object }} options
 */
export function writeAttentionModel(dir, { heads = 12, headSize = 4, limit = 8192, config = {} } = {}) {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'model.onnx'), graphOf(heads, headSize))
  const vocab = Object.fromEntries(Array.from({ length: WORDS }, (_, i) => [wordOf(i), i]))
  const model = { type: 'WordLevel', vocab, unk_token: wordOf(1) }
  writeJson(join(dir, 'tokenizer.json'), {
    version: '1.0',
    added_tokens: [],
    pre_tokenizer: { type: 'Whitespace' },
    model,
  })
  writeJson(join(dir, 'tokenizer_config.json'), { model_max_length: limit, pad_token: wordOf(0) })
  writeJson(join(dir, 'config.json'), { model_type: 'bert', pad_token_id: 0, ...config })
}

/** A text of `tokens` tokens; `seed` makes another one. */
export function textOf(tokens, seed = 0) {
  return Array.from({ length: tokens }, (_, i) => wordOf(2 + ((seed * 31 + i * 7) % (WORDS - 2)))).join(' ')
}

const wordOf = (i) => `w${i}`
const writeJson = (path, value) => writeFileSync(path, JSON.stringify(value))

function graphOf(heads, headSize) {
  const width = heads * headSize
  const nodes = [
    node('Gather', ['words', 'input_ids'], 'x'),
    ...['q', 'k', 'v'].flatMap((name) => [
      node('MatMul', ['x', `w${name}`], `${name}0`),
      node('Reshape', [`${name}0`, 'split'], `${name}1`),
      node('Transpose', [`${name}1`], name, [ints('perm', name === 'k' ? [0, 2, 3, 1] : [0, 2, 1, 3])]),
    ]),
    node('MatMul', ['q', 'k'], 'products'),
    node('Unsqueeze', ['attention_mask', 'axes'], 'mask'),
    node('Cast', ['mask'], 'kept', [int('to', FLOAT)]),
    node('Sub', ['kept', 'one'], 'dropped'),
    node('Mul', ['dropped', 'far'], 'bias'),
    node('Add', ['products', 'bias'], 'scores'),
    node('Softmax', ['scores'], 'shares', [int('axis', -1)]),
    node('MatMul', ['shares', 'v'], 'mixed'),
    node('Transpose', ['mixed'], 'turned', [ints('perm', [0, 2, 1, 3])]),
    node('Reshape', ['turned', 'join'], 'last_hidden_state'),
  ]
  const tensors = [
    floats('words', [WORDS, width], weights(WORDS * width)),
    ...['wq', 'wk', 'wv'].map((name) => floats(name, [width, width], weights(width * width))),
    floats('one', [], [1]),
    floats('far', [], [10_000]),
    integers('axes', [1, 2]),
    integers('split', [0, 0, heads, headSize]),
    integers('join', [0, 0, width]),
  ]
  return onnxFile({
    nodes,
    tensors,
    inputs: [port('input_ids', INT64, ['rows', 'tokens']), port('attention_mask', INT64, ['rows', 'tokens'])],
    outputs: [port('last_hidden_state', FLOAT, ['rows', 'tokens', width])],
  })
}

/** Weights: small, different, the same at every call. */
const weights = (count) => Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898) / 4)
