/**
 * Model directories of a few hundred bytes, for what a directory says and not for what its numbers are worth. Each token's vector is its row of
 * one table, so a test can compute every vector itself: {@link wordVector}.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { FLOAT, floats, INT64, int, integers, ints, node, onnxFile, port } from './onnx-file.mjs'

/** Words `w0` to `w15`; `w0` is the padding and `w1` the unknown word. */
const WORDS = 16
/** Values of a token's vector. */
export const DIM = 4

/** The vector of the word `w<id>`: small integers, so that sums are exact in float32. */
export const wordVector = (id: number): number[] =>
  Array.from({ length: DIM }, (_, d) => ((id * 7 + d * 3) % 11) - 5)

export interface TinyOutput {
  name: string
  /**
   * `tokens`: a vector for each token, [rows, tokens, 4]. `finished`: the largest value of each dimension, negated, [rows, 4]; no pooling
   * gives that. `score`: [rows, 1]. `scores`: [rows, 3]. `open`: `tokens` without a declared shape.
   */
  gives: 'tokens' | 'finished' | 'score' | 'scores' | 'open'
}

export interface TinyGraph {
  outputs?: TinyOutput[]
  /** Element type of the integer inputs. */
  integers?: number
  /** The batch and the token axis of the inputs, where they are fixed. */
  rows?: number
  tokens?: number
  /** Further integer inputs beside ids and mask. */
  more?: string[]
  /** Declares `past_key_values.0.key` with these heads and values of a head; a name leaves the axis open. Its length is added to each value. */
  past?: { type?: number; heads: number | string; headDim: number | string }
}

/** Files by path; objects become JSON. */
export type TinyFiles = Readonly<Record<string, string | Buffer | object>>

/** Writes a model directory; `files` are put over the usual ones. */
export function writeTinyModel(dir: string, graph: TinyGraph = {}, files: TinyFiles = {}): string {
  const vocab = Object.fromEntries(Array.from({ length: WORDS }, (_, i) => [`w${i}`, i]))
  const all: TinyFiles = {
    'model.onnx': tinyGraph(graph),
    'tokenizer.json': {
      version: '1.0',
      added_tokens: [],
      pre_tokenizer: { type: 'Whitespace' },
      model: { type: 'WordLevel', vocab, unk_token: 'w1' },
    },
    'tokenizer_config.json': { model_max_length: 32, pad_token: 'w0' },
    'config.json': { model_type: 'bert', pad_token_id: 0 },
    ...files,
  }
  for (const [name, content] of Object.entries(all)) {
    const path = join(dir, name)
    mkdirSync(dirname(path), { recursive: true })
    const isRaw = typeof content === 'string' || Buffer.isBuffer(content)
    writeFileSync(path, isRaw ? content : JSON.stringify(content))
  }
  return dir
}

/** `modules.json` of such classes, in folders numbered from 1 but for the Transformer. */
export function modules(...types: string[]): object {
  return types.map((type, idx) => ({
    idx,
    name: String(idx),
    path: type === 'Transformer' ? '' : `${idx}_${type}`,
    type: `sentence_transformers.models.${type}`,
  }))
}

/** A safetensors file of float32 tensors. */
export function safetensors(
  tensors: Readonly<Record<string, { shape: number[]; values: number[] }>>,
): Buffer {
  let end = 0
  const header: Record<string, object> = {}
  const data: Buffer[] = []
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    const bytes = Buffer.from(Float32Array.from(values).buffer)
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + bytes.length] }
    end += bytes.length
    data.push(bytes)
  }
  const json = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return Buffer.concat([length, json, ...data])
}

function tinyGraph({ outputs, integers: type = INT64, rows, tokens, more = [], past }: TinyGraph): Buffer {
  const wanted: TinyOutput[] = outputs ?? [{ name: 'last_hidden_state', gives: 'tokens' }]
  const axes = [rows ?? 'rows', tokens ?? 'tokens']
  const nodes = [node('Gather', ['words', 'input_ids'], past === undefined ? 'x' : 'looked_up')]
  const inputs = ['input_ids', 'attention_mask', ...more].map((name) => port(name, type, axes))
  if (past !== undefined) {
    nodes.push(
      node('Shape', ['past_key_values.0.key'], 'past_shape'),
      node('Gather', ['past_shape', 'length_axis'], 'past_length'),
      node('Cast', ['past_length'], 'past_tokens', [int('to', FLOAT)]),
      node('Add', ['looked_up', 'past_tokens'], 'x'),
    )
    const dims = ['rows', past.heads, 'past', past.headDim]
    inputs.push(port('past_key_values.0.key', past.type ?? FLOAT, dims))
    inputs.push(port('past_key_values.0.value', past.type ?? FLOAT, dims))
  }
  const pooled = [ints('axes', [1]), int('keepdims', 0)]
  for (const { name, gives } of wanted) {
    if (gives === 'tokens' || gives === 'open') nodes.push(node('Identity', ['x'], name))
    if (gives === 'finished') {
      nodes.push(node('ReduceMax', ['x'], `${name}_most`, pooled), node('Neg', [`${name}_most`], name))
    }
    if (gives === 'score' || gives === 'scores') {
      nodes.push(
        node('ReduceMax', ['x'], `${name}_most`, pooled),
        node('MatMul', [`${name}_most`, gives], name),
      )
    }
  }
  const shapes = {
    tokens: [...axes, DIM],
    finished: [axes[0] as string, DIM],
    score: ['rows', 1],
    scores: ['rows', 3],
  }
  return onnxFile({
    nodes,
    inputs,
    outputs: wanted.map(({ name, gives }) =>
      port(name, FLOAT, gives === 'open' ? ['a', 'b', 'c'] : shapes[gives]),
    ),
    tensors: [
      floats('words', [WORDS, DIM], Array.from({ length: WORDS }, (_, id) => wordVector(id)).flat()),
      floats('score', [DIM, 1], [1, 0, 0, 0]),
      floats('scores', [DIM, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]),
      integers('length_axis', [2]),
    ],
  })
}
