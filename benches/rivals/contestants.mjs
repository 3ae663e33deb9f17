/** Who takes part, in which settings. A row of this table is a family: a program with a model, and its batch sizes. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../scripts/lib/run.mjs'
import { LIMIT } from '../texts.mjs'
import {
  buildRust,
  installNode,
  installPython,
  layOutForTransformers,
  MODELS,
  runtimeLibrary,
} from './install.mjs'

const NODE = join(ROOT, 'benches', 'rivals', 'node')
const script = (name, ...args) => [process.execPath, join(NODE, name), ...args, String(LIMIT)]

const version = (name) => JSON.parse(readFileSync(join(NODE, 'package.json'), 'utf8')).dependencies[name]

/** Batch sizes of everyone who has fixed batches; 0 stands for the contestant's own default. */
const ALL_BATCHES = [0, 32, 8, 1]

/**
 * The families. `usual` is the batch size that stands for "as it comes"; `reason` tells why one cannot run. Installs what
 * is missing.
 */
export function families(say) {
  const npmReason = installNode(say)
  const python = installPython(say)
  const rust = buildRust(say)
  const bundled = join(ROOT, 'models', 'all-minilm-l6-v2')
  const { root, name } = layOutForTransformers()
  const int8 = existsSync(join(MODELS, 'model_int8.onnx')) ? undefined : 'no model_int8.onnx'
  const ours = (id, label, model, ...args) => ({
    id,
    label,
    model,
    usual: 0,
    batches: [0],
    command: [...script('millrace.mjs', ...args.slice(0, 2)), ...args.slice(2)],
    reason: model === 'int8' ? int8 : undefined,
  })
  return [
    ours('millrace', 'millrace', 'fp32', MODELS, 'model.onnx'),
    {
      id: 'python',
      label: 'fastembed for Python 0.9.1',
      model: 'fp32',
      usual: 0,
      batches: ALL_BATCHES,
      command: [
        python.python,
        join(ROOT, 'benches', 'rivals', 'python', 'contestant.py'),
        MODELS,
        'model.onnx',
        `${LIMIT}`,
      ],
      reason: python.reason,
    },
    {
      id: 'rust',
      label: 'fastembed for Rust 7.5.0',
      model: 'fp32',
      usual: 0,
      batches: ALL_BATCHES,
      command: [rust.program, MODELS, 'model.onnx', `${LIMIT}`],
      env: { ORT_DYLIB_PATH: runtimeLibrary() },
      reason: rust.reason,
    },
    {
      id: 'npm',
      label: `fastembed for npm ${version('fastembed')}`,
      model: 'fp32',
      usual: 0,
      batches: ALL_BATCHES,
      command: script('fastembed.mjs', MODELS, 'model.onnx'),
      reason: npmReason,
    },
    {
      id: 'transformers',
      label: `transformers.js ${version('@huggingface/transformers')}`,
      model: 'fp32',
      // It has no default: a call is a batch. Its own examples and users' loops take 32.
      usual: 32,
      batches: [256, 32, 8, 1],
      command: [...script('transformers.mjs', root, name), 'fp32'],
      reason: npmReason,
    },
    ours('millrace-w8', 'millrace, bundled model', 'w8', bundled, 'model_w8.onnx'),
    ours('millrace-int8', 'millrace', 'int8', MODELS, 'model_int8.onnx'),
    ours(
      'millrace-int8-batched',
      'millrace, batchInvariance: false',
      'int8',
      MODELS,
      'model_int8.onnx',
      '--batched',
    ),
    {
      id: 'transformers-int8',
      label: `transformers.js ${version('@huggingface/transformers')}`,
      model: 'int8',
      usual: 32,
      batches: [32, 8, 1],
      command: [...script('transformers.mjs', root, name), 'q8'],
      reason: npmReason ?? int8,
    },
  ]
}

/** The command of the reference vectors. */
export const referenceCommand = () => script('reference.mjs', MODELS, 'model.onnx')
