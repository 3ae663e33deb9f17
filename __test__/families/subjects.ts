/**
 * The families on small models of the goldens, behind one face, so that what all of them promise is tested with the same words.
 * What a family alone does is in tests of its own.
 */

import { join } from 'node:path'
import {
  type EmbeddingBatch,
  type EmbeddingStream,
  ImageEmbedding,
  LateInteractionMultimodalEmbedding,
  LateInteractionTextEmbedding,
  type ModelInfo,
  type ModelMetrics,
  SparseTextEmbedding,
  TextCrossEncoder,
  TextEmbedding,
} from '../../index.js'
import { goldenModel, ROOT } from '../support/paths.js'
import { bombPng, png } from '../support/png.mjs'
import { randomNumbers, words } from '../support/texts.mjs'

/** What every batch has. */
export type AnyBatch = EmbeddingBatch<unknown> & {
  readonly tokens: Uint32Array
  readonly truncated: Uint8Array
  readonly positions?: Float64Array
}
export type AnyStream = EmbeddingStream<AnyBatch, unknown>

/** Options that every family takes. */
export interface CommonOptions {
  batchSize?: number
  batching?: 'planned' | 'fixed'
  order?: 'input' | 'completion'
  errors?: 'throw' | 'collect'
  priority?: number
  timeoutMs?: number
  parallel?: number | null
  signal?: AbortSignal
  onProgress?: (progress: { done: number; total?: number }) => void
}

export interface CommonModelOptions {
  lazyLoad?: boolean
  parallel?: number | null
  threads?: number
  maxQueue?: number
}

/** A loaded model of whatever family. */
export interface Model {
  info(): Promise<ModelInfo>
  metrics(): ModelMetrics
  close(options?: { timeoutMs?: number }): Promise<void>
  run(source: unknown, options?: CommonOptions): AnyStream
}

/** A family on one model. */
export interface Subject {
  name: string
  open(options?: CommonModelOptions): Promise<Model>
  /** Items of very different sizes, all different. */
  items: readonly unknown[]
  /** What is no item, or a broken one, and the code of its error. */
  bad: readonly { what: string; item: unknown; code: 'INPUT_INVALID' | 'IMAGE_INVALID' }[]
  /** How far a row may be from itself alone: 0 is bit for bit, else the graph sums over padding itself. */
  apart: number
}

const random = randomNumbers(11)
const TEXTS: readonly string[] = [
  '',
  'a',
  ...Array.from({ length: 14 }, (_, i) => words(1 + Math.floor(i ** 1.5), random)),
]
const PAIRS = TEXTS.map((document, i): [string, string] => [
  TEXTS[(i * 7 + 2) % TEXTS.length] as string,
  document,
])

/** A file among the golden images. */
export const goldenImage = (name: string): string => join(ROOT, '__test__/fixtures/goldens/images', name)

const IMAGES: readonly unknown[] = [
  ...['rgb.png', 'gray.png', 'baseline.jpg', 'palette.png', 'lossless_alpha.webp'].map(goldenImage),
  png(640, 480, 1),
  png(30, 700, 2),
  { data: new Uint8Array(5 * 4 * 3).map((_, i) => i * 4), width: 5, height: 4, channels: 3 },
]

const BAD_TEXTS: Subject['bad'] = [7, null, undefined, {}, Buffer.from('x')].map((item) => ({
  what: String(item),
  item,
  code: 'INPUT_INVALID',
}))

const BAD_PAIRS: Subject['bad'] = ['text', ['one'], ['a', 'b', 'c'], ['a', 7], null].map((item) => ({
  what: JSON.stringify(item),
  item,
  code: 'INPUT_INVALID',
}))

/** A buffer that another thread has now: `ImageInput` has its type, and its bytes are gone. */
function transferred(): ArrayBuffer {
  const buffer = new ArrayBuffer(8)
  structuredClone(buffer, { transfer: [buffer] })
  return buffer
}

function transferredBytes(): Uint8Array {
  const bytes = new Uint8Array(8)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

export const BAD_IMAGES: Subject['bad'] = [
  { what: 'a number', item: 7, code: 'INPUT_INVALID' },
  { what: 'null', item: null, code: 'INPUT_INVALID' },
  { what: 'a URL of the web', item: new URL('https://example.com/cat.png'), code: 'INPUT_INVALID' },
  { what: 'a string with a URL of the web', item: 'https://example.com/cat.png', code: 'INPUT_INVALID' },
  { what: 'an image in base64', item: png(64, 64).toString('base64').repeat(40), code: 'INPUT_INVALID' },
  { what: 'a data: URL without data', item: 'data:image/png;base64', code: 'INPUT_INVALID' },
  { what: 'a data: URL that is no image', item: 'data:text/plain,hello', code: 'IMAGE_INVALID' },
  { what: 'a file: URL of another host', item: 'file://elsewhere/cat.png', code: 'INPUT_INVALID' },
  { what: 'a buffer that was transferred', item: transferred(), code: 'INPUT_INVALID' },
  { what: 'bytes whose buffer was transferred', item: transferredBytes(), code: 'INPUT_INVALID' },
  { what: 'a Blob that is no image', item: new Blob(['hello']), code: 'IMAGE_INVALID' },
  { what: 'pixels without measures', item: { data: new Uint8Array(3) }, code: 'INPUT_INVALID' },
  { what: 'a corrupt file', item: goldenImage('corrupt.png'), code: 'IMAGE_INVALID' },
  { what: 'no image', item: goldenImage('not_an_image.txt'), code: 'IMAGE_INVALID' },
  { what: 'a missing file', item: goldenImage('no_such_file.png'), code: 'IMAGE_INVALID' },
  { what: 'a directory', item: goldenImage(''), code: 'IMAGE_INVALID' },
  { what: 'an empty file', item: Buffer.alloc(0), code: 'IMAGE_INVALID' },
  { what: 'half a file', item: png(64, 64).subarray(0, 200), code: 'IMAGE_INVALID' },
  { what: 'a bomb', item: bombPng(), code: 'IMAGE_INVALID' },
  {
    what: 'pixels that do not fill their measures',
    item: { data: new Uint8Array(10), width: 5, height: 4, channels: 3 },
    code: 'IMAGE_INVALID',
  },
]

/** The class's model with its own way to run. */
function as<M extends Omit<Model, 'run'>>(
  opening: Promise<M>,
  run: (model: M, source: never, options: never) => unknown,
): Promise<Model> {
  return opening.then((model) => ({
    info: () => model.info(),
    metrics: () => model.metrics(),
    close: (options) => model.close(options),
    run: (source, options) => run(model, source as never, (options ?? {}) as never) as AnyStream,
  }))
}

const text = { items: TEXTS, bad: BAD_TEXTS, apart: 0 }

const sparse = (kind: 'splade' | 'bm42' | 'minicoil'): Subject => ({
  ...text,
  name: `sparse: ${kind}`,
  open: (options) =>
    as(
      SparseTextEmbedding.create({ modelPath: goldenModel(kind), kind, ...options }),
      (model, source, call) => model.embed(source, call),
    ),
})

const colmodernvbert = (options: CommonModelOptions | undefined) =>
  LateInteractionMultimodalEmbedding.create({
    model: 'Qdrant/colmodernvbert',
    modelPath: goldenModel('colmodernvbert'),
    ...options,
  })

/** All of them. Dense text has tests of its own; here it stands for its tables of vectors. */
export const SUBJECTS: readonly Subject[] = [
  {
    ...text,
    name: 'dense: static',
    open: (options) =>
      as(
        TextEmbedding.create({
          model: 'minishlab/potion-base-8M',
          modelPath: goldenModel('potion'),
          ...options,
        }),
        (model, source, call) => model.embed(source, call),
      ),
  },
  {
    ...text,
    name: 'sparse: BM25',
    open: (options) =>
      as(SparseTextEmbedding.create({ ...options }), (model, source, call) => model.embed(source, call)),
  },
  sparse('splade'),
  sparse('bm42'),
  sparse('minicoil'),
  {
    ...text,
    name: 'late interaction',
    open: (options) =>
      as(
        LateInteractionTextEmbedding.create({
          modelPath: goldenModel('colbert'),
          kind: 'colbert',
          ...options,
        }),
        (model, source, call) => model.embed(source, call),
      ),
  },
  {
    name: 'images',
    items: IMAGES,
    bad: BAD_IMAGES,
    apart: 0,
    open: (options) =>
      as(
        ImageEmbedding.create({ modelPath: goldenModel('clip_vision'), ...options }),
        (model, source, call) => model.embed(source, call),
      ),
  },
  {
    ...text,
    name: 'multimodal: texts',
    open: (options) => as(colmodernvbert(options), (model, source, call) => model.embedText(source, call)),
  },
  {
    name: 'multimodal: images',
    items: IMAGES,
    bad: BAD_IMAGES,
    apart: 3e-6, // FastEmbed's golden says 1.3e-6 between its batch sizes
    open: (options) => as(colmodernvbert(options), (model, source, call) => model.embedImage(source, call)),
  },
  {
    name: 'cross encoder',
    items: PAIRS,
    bad: BAD_PAIRS,
    apart: 2e-6, // FastEmbed's goldens say 2e-7 to 1e-6
    open: (options) =>
      as(TextCrossEncoder.create({ modelPath: goldenModel('rr_bert'), ...options }), (model, source, call) =>
        model.rerankPairs(source, call),
      ),
  },
]

/** All numbers of a row. */
export function numbersOf(row: unknown): number[] {
  if (typeof row === 'number') return [row]
  if (ArrayBuffer.isView(row)) return Array.from(row as Float32Array)
  if (Array.isArray(row)) return row.flatMap(numbersOf)
  return Object.values(row as object).flatMap(numbersOf)
}

/** Throws unless the row is the other one, as exactly as the subject promises. */
export function sameRow({ apart }: Subject, row: unknown, expected: readonly number[], what: string): void {
  const numbers = numbersOf(row)
  const isSame =
    numbers.length === expected.length &&
    numbers.every((value, i) => {
      const other = expected[i] as number
      return apart === 0 ? Object.is(value, other) : Math.abs(value - other) <= apart
    })
  if (!isSame) throw new Error(`${what} is not the row of its item alone`)
}

/** Rows of the items, each embedded alone. */
export async function rowsAlone(model: Model, items: readonly unknown[]): Promise<number[][]> {
  const rows: number[][] = []
  for (const item of items) rows.push(...(await model.run([item]).toArray()).map(numbersOf))
  return rows
}
