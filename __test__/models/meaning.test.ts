/**
 * What a model directory says of its vectors, and that nothing of it is guessed in silence: pooling, output, normalisation and limit have a
 * source in `info()`, and where nobody says one that matters, loading fails and names the option.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ImageEmbedding, SparseTextEmbedding, TextCrossEncoder, TextEmbedding } from '../../index.js'
import type { TextModelOptions } from '../../src/options/text.js'
import { FLOAT16, INT32 } from '../support/onnx-file.mjs'
import { BUNDLED, goldenModel } from '../support/paths.js'
import {
  DIM,
  modules,
  safetensors,
  type TinyFiles,
  type TinyGraph,
  wordVector,
  writeTinyModel,
} from '../support/tiny-model.js'

const tiny = (graph?: TinyGraph, files?: TinyFiles): string =>
  writeTinyModel(mkdtempSync(join(tmpdir(), 'tiny-')), graph, files)

/** The vectors of `texts` and what `info()` says. */
async function embedded(options: TextModelOptions, texts: string[]) {
  await using model = await TextEmbedding.create(options)
  const rows = await model.embed(texts).toArray()
  return { info: await model.info(), rows: rows.map((row) => [...row]) }
}

const norm = (x: number[]) => Math.hypot(...x)
const unit = (x: number[]) => x.map((value) => value / norm(x))
const sum = (rows: number[][]) =>
  Array.from({ length: DIM }, (_, d) => rows.reduce((s, row) => s + (row[d] ?? 0), 0))
const mean = (rows: number[][]) => sum(rows).map((value) => value / rows.length)
const near = (got: number[] | undefined, expected: number[]) => {
  expect(got).toHaveLength(expected.length)
  for (const [i, value] of expected.entries()) expect(got?.[i]).toBeCloseTo(value, 5)
}

describe('pooling', () => {
  // oscardvs/zoteus#51, jundot/omlx#2594, arcee-ai/DALM#92
  it('is an error that names the option where nobody says it', async () => {
    const loading = TextEmbedding.create({ modelPath: goldenModel('bge') })
    await expect(loading).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(
        /'cls', 'mean'.*for pooling but received none.*last_hidden_state.*outputName/s,
      ),
    })
  })

  it('has a source, whoever says it', async () => {
    const bge = goldenModel('bge')
    const asked = await embedded({ modelPath: bge, pooling: 'cls' }, ['a mill'])
    expect(asked.info).toMatchObject({
      pooling: 'cls',
      poolingSource: 'pooling',
      normalize: true,
      normalizeSource: 'the default, as no file says it',
      outputName: 'last_hidden_state',
      outputSource: "the graph's only output",
      maxLengthSource: 'tokenizer_config.json model_max_length',
    })
    const named = await embedded({ modelPath: bge, model: 'BAAI/bge-small-en-v1.5', normalize: true }, [
      'a mill',
    ])
    expect(named.info).toMatchObject({
      pooling: 'cls',
      poolingSource: "the model's definition",
      normalizeSource: 'normalize',
    })
    expect(named.rows).toEqual(asked.rows)
    const bundled = await embedded({ modelPath: BUNDLED }, ['a mill'])
    expect(bundled.info).toMatchObject({
      poolingSource: expect.stringContaining('1_Pooling/config.json'),
      normalizeSource: 'modules.json Normalize',
    })
  })

  it.each([
    ['cls', (rows: number[][]) => rows[0] ?? []],
    ['last', (rows: number[][]) => rows.at(-1) ?? []],
    [
      'max',
      (rows: number[][]) =>
        Array.from({ length: DIM }, (_, d) => Math.max(...rows.map((row) => row[d] ?? 0))),
    ],
    ['mean', mean],
    ['mean-sqrt-len', (rows: number[][]) => sum(rows).map((value) => value / Math.sqrt(rows.length))],
    [
      'weighted-mean',
      (rows: number[][]) =>
        sum(rows.map((row, i) => row.map((value) => value * (i + 1)))).map(
          (value) => value / ((rows.length * (rows.length + 1)) / 2),
        ),
    ],
  ] as const)('%s', async (pooling, pooled) => {
    const { rows } = await embedded({ modelPath: tiny(), pooling, normalize: false }, ['w3 w5 w9', 'w4'])
    near(rows[0], pooled([3, 5, 9].map(wordVector)))
    near(rows[1], pooled([wordVector(4)]))
  })

  it('of several modes puts their vectors one after the other', async () => {
    const dir = tiny(
      {},
      {
        'modules.json': modules('Transformer', 'Pooling'),
        '1_Pooling/config.json': { pooling_mode_mean_tokens: true, pooling_mode_cls_token: true },
      },
    )
    const { rows, info } = await embedded({ modelPath: dir }, ['w3 w5'])
    near(rows[0], [...wordVector(3), ...mean([3, 5].map(wordVector))])
    expect(info).toMatchObject({ pooling: ['cls', 'mean'], dim: 2 * DIM, normalize: false })
  })
})

describe('the output', () => {
  // plur-ai/plur#270, huggingface/optimum#1519
  it('is sentence_embedding where the graph has it and nobody asks for a pooling', async () => {
    const outputs = [
      { name: 'last_hidden_state', gives: 'tokens' },
      { name: 'sentence_embedding', gives: 'finished' },
    ] as const
    const modelPath = tiny({ outputs: [...outputs] })
    const { rows, info } = await embedded({ modelPath, normalize: false }, ['w3 w5'])
    const most = Array.from({ length: DIM }, (_, d) => Math.max(wordVector(3)[d] ?? 0, wordVector(5)[d] ?? 0))
    near(
      rows[0],
      most.map((value) => -value),
    )
    expect(info).toMatchObject({
      outputName: 'sentence_embedding',
      outputSource: "the graph's output of finished vectors",
      pooling: 'none',
      poolingSource: 'output sentence_embedding, which is [rows, dim]',
    })
    // A pooling is of tokens, and FastEmbed takes the first output for it.
    const pooled = await embedded({ modelPath, pooling: 'mean', normalize: false }, ['w3 w5'])
    near(pooled.rows[0], mean([3, 5].map(wordVector)))
    expect(pooled.info.outputSource).toBe("the first of the graph's 2 outputs")
  })

  // huggingface/text-embeddings-inference#474, michaelfeil/infinity#333
  it('of a cross encoder is refused as a vector', async () => {
    const refused = (options: TextModelOptions) =>
      expect(TextEmbedding.create(options)).rejects.toMatchObject({
        code: 'MODEL_INVALID',
        message: expect.stringContaining('TextCrossEncoder'),
      })
    await refused({ modelPath: goldenModel('rr_bert') })
    await refused({ modelPath: goldenModel('rr_bert'), pooling: 'cls' })
    await refused({ modelPath: tiny({ outputs: [{ name: 'logits', gives: 'scores' }] }) })
    const classifier = {
      'config.json': { model_type: 'bert', architectures: ['BertForSequenceClassification'] },
    }
    await refused({ modelPath: tiny({ outputs: [{ name: 'output', gives: 'finished' }] }, classifier) })
  })

  it('of an embedding model is refused as a score', async () => {
    for (const gives of ['tokens', 'finished'] as const) {
      const modelPath = tiny({ outputs: [{ name: 'embedding', gives }] })
      await expect(TextCrossEncoder.create({ modelPath })).rejects.toMatchObject({
        code: 'MODEL_INVALID',
        message: expect.stringContaining('TextEmbedding'),
      })
    }
    await using model = await TextCrossEncoder.create({ modelPath: goldenModel('rr_bert') })
    expect(await model.info()).toMatchObject({
      outputName: 'logits',
      outputSource: "the graph's only output",
    })
  })

  it('of an encoder is refused as weights of a vocabulary', async () => {
    await expect(SparseTextEmbedding.create({ modelPath: tiny(), kind: 'splade' })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringContaining('16 entries of the vocabulary'),
    })
  })

  it('of images with a vector for each token needs a pooling', async () => {
    const modelPath = goldenModel('nomic_vision')
    await expect(ImageEmbedding.create({ modelPath })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining("'cls' (the first token) or 'none' (all values) for pooling"),
    })
    await using model = await ImageEmbedding.create({ modelPath, pooling: 'cls' })
    expect(await model.info()).toMatchObject({ pooling: 'cls', poolingSource: 'pooling' })
  })
})

describe('Dense modules', () => {
  const weight = Array.from({ length: 3 * DIM }, (_, i) => ((i * 5) % 7) / 10 - 0.3)
  const bias = [0.1, -0.2, 0.3]
  const product = (x: number[]) =>
    bias.map((b, row) => b + x.reduce((s, value, i) => s + value * (weight[row * DIM + i] ?? 0), 0))
  const dense = (settings: object, tensors: Parameters<typeof safetensors>[0]): TinyFiles => ({
    '2_Dense/config.json': settings,
    '2_Dense/model.safetensors': safetensors(tensors),
  })
  const linear = {
    'linear.weight': { shape: [3, DIM], values: weight },
    'linear.bias': { shape: [3], values: bias },
  }
  const tanh = 'torch.nn.modules.activation.Tanh'
  const pooling = { 'modules.json': modules('Transformer', 'Pooling', 'Dense', 'Normalize') }
  const cls = { '1_Pooling/config.json': { pooling_mode_cls_token: true } }

  // As LaBSE and distiluse have it (huggingface/text-embeddings-inference#732, vllm-project/vllm#15509).
  it('with a bias and Tanh', async () => {
    const settings = { in_features: DIM, out_features: 3, bias: true, activation_function: tanh }
    const modelPath = tiny({}, { ...pooling, ...cls, ...dense(settings, linear) })
    const { rows, info } = await embedded({ modelPath }, ['w3 w5', 'w7'])
    near(rows[0], unit(product(wordVector(3)).map(Math.tanh)))
    near(rows[1], unit(product(wordVector(7)).map(Math.tanh)))
    expect(info).toMatchObject({ dim: 3, pooling: 'cls', normalize: true })
    // Dimensions are cut of the finished vector, not of what goes into the product.
    await using model = await TextEmbedding.create({ modelPath })
    const [cut] = await model.embed('w3 w5', { dimensions: 2 }).toArray()
    near([...(cut ?? [])], unit(product(wordVector(3)).map(Math.tanh).slice(0, 2)))
  })

  // As EmbeddingGemma has them.
  it('two of them, without a bias and an activation', async () => {
    const second = Array.from({ length: 2 * 3 }, (_, i) => (i % 4) - 1)
    const identity = 'torch.nn.modules.linear.Identity'
    const modelPath = tiny(
      {},
      {
        'modules.json': modules('Transformer', 'Pooling', 'Dense', 'Dense', 'Normalize'),
        '1_Pooling/config.json': { pooling_mode: 'mean' },
        ...dense(
          { in_features: DIM, out_features: 3, bias: false, activation_function: identity },
          { 'linear.weight': { shape: [3, DIM], values: weight } },
        ),
        '3_Dense/config.json': {
          in_features: 3,
          out_features: 2,
          bias: false,
          activation_function: identity,
        },
        '3_Dense/model.safetensors': safetensors({ 'linear.weight': { shape: [2, 3], values: second } }),
      },
    )
    const { rows, info } = await embedded({ modelPath }, ['w3 w5'])
    const x = product(mean([3, 5].map(wordVector))).map((value, i) => value - (bias[i] ?? 0))
    const y = [0, 1].map((row) => x.reduce((s, value, i) => s + value * (second[row * 3 + i] ?? 0), 0))
    near(rows[0], unit(y))
    expect(info.dim).toBe(2)
  })

  it('are not applied again to a finished output', async () => {
    const settings = { in_features: DIM, out_features: DIM, bias: false, activation_function: tanh }
    const values = Array.from({ length: DIM * DIM }, () => 1)
    const files = {
      ...pooling,
      ...cls,
      ...dense(settings, { 'linear.weight': { shape: [DIM, DIM], values } }),
    }
    const finished = tiny({ outputs: [{ name: 'sentence_embedding', gives: 'finished' }] }, files)
    const { rows } = await embedded({ modelPath: finished }, ['w3'])
    near(rows[0], unit(wordVector(3).map((value) => -value)))
    // Whether another output has gone through them, its shape does not tell.
    const unclear = tiny({ outputs: [{ name: 'pooled', gives: 'finished' }] }, files)
    await expect(TextEmbedding.create({ modelPath: unclear })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('outputName'),
    })
    expect((await embedded({ modelPath: unclear, outputName: 'pooled' }, ['w3'])).rows).toEqual(rows)
  })

  it.each([
    ['weights of another shape', { in_features: DIM, out_features: 2 }, linear, 'expected [2, 4]'],
    [
      'an activation that is unknown',
      { in_features: DIM, out_features: 3, activation_function: 'torch.nn.Softmax2d' },
      linear,
      'Softmax2d',
    ],
    ['a pooled vector of another length', { in_features: 9, out_features: 3 }, linear, 'takes 9 values'],
  ])('with %s are refused', async (_, settings, tensors, message) => {
    const modelPath = tiny({}, { ...pooling, ...cls, ...dense(settings, tensors) })
    await expect(TextEmbedding.create({ modelPath })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringContaining(message),
    })
  })

  it('with pickled weights only are refused', async () => {
    const { '2_Dense/model.safetensors': _, ...rest } = dense({ in_features: DIM, out_features: 3 }, linear)
    const modelPath = tiny({}, { ...pooling, ...cls, ...rest, '2_Dense/pytorch_model.bin': 'pickle' })
    await expect(TextEmbedding.create({ modelPath })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/pytorch_model\.bin.*model\.safetensors/),
    })
  })
})

describe('the shapes and types of inputs', () => {
  // huggingface/transformers#19238, onnx/tensorflow-onnx#1810
  it('of a fixed length: rows are padded to it, and it is the limit', async () => {
    const modelPath = tiny({ tokens: 8 })
    const { rows, info } = await embedded({ modelPath, pooling: 'mean', normalize: false }, [
      'w3 w5',
      Array.from({ length: 20 }, () => 'w4').join(' '),
    ])
    near(rows[0], mean([3, 5].map(wordVector)))
    near(rows[1], wordVector(4))
    expect(info).toMatchObject({ maxLength: 8, maxLengthSource: "the graph's input input_ids" })
    const longer = TextEmbedding.create({ modelPath, pooling: 'mean', maxLength: 9 })
    await expect(longer).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('at most 8'),
    })
  })

  it('of one row: rows run one by one', async () => {
    const { rows, info } = await embedded(
      { modelPath: tiny({ rows: 1 }), pooling: 'cls', normalize: false },
      ['w3 w5', 'w4', 'w9'],
    )
    expect(rows).toEqual([3, 4, 9].map(wordVector))
    expect(info.rowByRow).toBe(true)
  })

  it('of eight rows are refused at load', async () => {
    const refused = { code: 'MODEL_INVALID', message: expect.stringContaining('exactly 8 texts at a time') }
    await expect(
      TextEmbedding.create({ modelPath: tiny({ rows: 8 }), pooling: 'cls' }),
    ).rejects.toMatchObject(refused)
    const reranker = tiny({ rows: 8, outputs: [{ name: 'logits', gives: 'score' }] })
    await expect(TextCrossEncoder.create({ modelPath: reranker })).rejects.toMatchObject(refused)
  })

  // ELS-RD/transformer-deploy#110, microsoft/onnxruntime#4787
  it('int32 are fed', async () => {
    const options = { pooling: 'mean', normalize: false } as const
    const texts = ['w3 w5', 'w9']
    const narrow = await embedded(
      { modelPath: tiny({ integers: INT32, more: ['token_type_ids', 'position_ids'] }), ...options },
      texts,
    )
    expect(narrow.rows).toEqual((await embedded({ modelPath: tiny(), ...options }, texts)).rows)
  })

  // huggingface/text-embeddings-inference#700, VeraTools/vera#94
  it('past_key_values are fed empty', async () => {
    const config = { model_type: 'qwen3', num_attention_heads: 4, num_key_value_heads: 2, head_dim: 8 }
    const decoders: [TinyGraph, TinyFiles?][] = [
      [{ past: { heads: 2, headDim: 8 }, more: ['position_ids'] }],
      [{ past: { heads: 'heads', headDim: 'values' } }, { 'config.json': config }],
      [{ past: { heads: 2, headDim: 8, type: FLOAT16 } }],
    ]
    for (const [graph, files] of decoders) {
      const { rows } = await embedded({ modelPath: tiny(graph, files), pooling: 'last', normalize: false }, [
        'w3 w5',
        'w9',
      ])
      expect(rows).toEqual([5, 9].map(wordVector))
    }
    const unknown = tiny({ past: { heads: 'heads', headDim: 'values' } })
    await expect(TextEmbedding.create({ modelPath: unknown, pooling: 'last' })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringMatching(/past_key_values\.0\.key.*num_key_value_heads/),
    })
  })
})
