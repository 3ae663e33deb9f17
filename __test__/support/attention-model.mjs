/**
 * A model directory with random weights, for what depends on the size of a model and not on its numbers: one layer of
 * attention as PyTorch exports it (its scores are written to memory), and a tokenizer of a thousand words. The ONNX file is
 * written field by field, so that no tool is needed.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FLOAT = 1
const INT64 = 7
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
    floats('words', [WORDS, width]),
    ...['wq', 'wk', 'wv'].map((name) => floats(name, [width, width])),
    floats('one', [], 1),
    floats('far', [], 10_000),
    integers('axes', [1, 2]),
    integers('split', [0, 0, heads, headSize]),
    integers('join', [0, 0, width]),
  ]
  const graph = [
    ...nodes.map((bytes) => message(1, bytes)),
    text(2, 'attention'),
    ...tensors.map((bytes) => message(5, bytes)),
    message(11, port('input_ids', INT64, ['rows', 'tokens'])),
    message(11, port('attention_mask', INT64, ['rows', 'tokens'])),
    message(12, port('last_hidden_state', FLOAT, ['rows', 'tokens', width])),
  ]
  const opset = [text(1, ''), number(2, 17)]
  return Buffer.concat([number(1, 8), message(7, graph), message(8, opset)])
}

/** Field numbers are those of onnx.proto. */
const node = (type, inputs, output, attributes = []) => [
  ...inputs.map((name) => text(1, name)),
  text(2, output),
  text(4, type),
  ...attributes.map((bytes) => message(5, bytes)),
]
const int = (name, value) => [text(1, name), number(3, value), number(20, 2)]
const ints = (name, values) => [text(1, name), ...values.map((value) => number(8, value)), number(20, 7)]
const port = (name, type, dims) => [
  text(1, name),
  message(2, [
    message(1, [
      number(1, type),
      message(
        2,
        dims.map((dim) => message(1, [dimension(dim)])),
      ),
    ]),
  ]),
]
const dimension = (dim) => (typeof dim === 'number' ? number(1, dim) : text(2, dim))

/** A tensor of `value` throughout, or of weights: small, different, the same at every call. */
function floats(name, dims, value) {
  const count = dims.reduce((product, dim) => product * dim, 1)
  const values = Float32Array.from({ length: count }, (_, i) => value ?? Math.sin(i * 12.9898) / 4)
  return [...dims.map((dim) => number(1, dim)), number(2, FLOAT), text(8, name), raw(values)]
}

function integers(name, values) {
  return [number(1, values.length), number(2, INT64), text(8, name), raw(BigInt64Array.from(values, BigInt))]
}

const raw = (values) => field(9, 2, Buffer.from(values.buffer, values.byteOffset, values.byteLength))
const text = (tag, value) => field(tag, 2, Buffer.from(value))
const message = (tag, parts) => field(tag, 2, Buffer.concat(parts))
const number = (tag, value) => Buffer.concat([varint(tag << 3), varint(value)])

function field(tag, wire, bytes) {
  return Buffer.concat([varint((tag << 3) | wire), varint(bytes.length), bytes])
}

/** Seven bits a byte, lowest first; negative numbers as 64-bit two's complement. */
function varint(value) {
  const bytes = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    bytes.push(rest > 0n ? low | 0x80 : low)
  } while (rest > 0n)
  return Buffer.from(bytes)
}
