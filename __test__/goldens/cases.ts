/** Reads golden cases: what a folder holds, as data. What they mean for millrace is in `classes.ts`. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { GOLDENS, ROOT } from '../support/paths.js'

/** A `case.json`; only the fields that the runner reads. */
export interface GoldenCase {
  name: string
  family: string
  fastembed_class: string
  registered_model_name: string | null
  custom_model: {
    pooling: string
    normalization: boolean
    model_file: string
    output_name?: string
  } | null
  model_dir: string | null
  init_options: Record<string, unknown>
  method: string
  options: Record<string, unknown>
  inputs: unknown
  expected: { kind: string; expected_file: string; dtype?: string; shape?: [number, number] }
  tolerance: { abs: number; rel: number }
  batch_invariance?: { max_abs_difference: number }
}

export interface Golden extends GoldenCase {
  /** Folder of the case. */
  folder: string
}

/** Every case of the folder, in order of name. */
export function readGoldens(): Golden[] {
  const cases = join(GOLDENS, 'cases')
  return readdirSync(cases)
    .filter((name) => existsSync(join(cases, name, 'case.json')))
    .sort()
    .map((name) => {
      const folder = join(cases, name)
      return { ...(JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as GoldenCase), folder }
    })
}

/**
 * The case's model directory. Directories outside the goldens (the real model) are also looked for under `../shared`
 * beside the repository. `undefined` when it lies nowhere.
 */
export function modelDirectory(golden: Golden): string | undefined {
  const given = golden.model_dir
  if (given === null) return undefined
  const outside = given.replace(/^(\.\.\/)+/, '')
  return [resolve(golden.folder, given), resolve(ROOT, '../shared', outside)].find((path) => existsSync(path))
}

/** The inputs as texts. A golden of a text class holds a list of strings, or one string. */
export function textInputs(golden: Golden): string | string[] {
  const { inputs } = golden
  if (typeof inputs === 'string') return inputs
  if (Array.isArray(inputs) && inputs.every((text) => typeof text === 'string')) return inputs
  throw new Error(`${golden.name}: inputs are not texts`)
}

/** What FastEmbed returned, as numbers, row by row. */
export function expectedMatrix(golden: Golden): { shape: [number, number]; data: ArrayLike<number> } {
  const { shape, expected_file } = golden.expected
  if (shape?.length !== 2) throw new Error(`${golden.name}: expected a matrix but its shape is ${shape}`)
  const bytes = readFileSync(join(golden.folder, expected_file))
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  const data = decode(expected_file, buffer)
  if (data.length !== shape[0] * shape[1]) throw new Error(`${golden.name}: the file does not fit its shape`)
  return { shape, data }
}

function decode(file: string, buffer: ArrayBuffer): ArrayLike<number> {
  const extension = file.slice(file.lastIndexOf('.'))
  if (extension === '.f32') return new Float32Array(buffer)
  if (extension === '.f64') return new Float64Array(buffer)
  if (extension === '.i8') return new Int8Array(buffer)
  throw new Error(`Unknown format of ${file}`)
}

/** `expected.json`, for counts, encodings and errors. */
export function expectedJson<T>(golden: Golden): T {
  return JSON.parse(readFileSync(join(golden.folder, golden.expected.expected_file), 'utf8')) as T
}
