/** The types users see, checked by the compiler alone: this file is never run. */
import { Readable } from 'node:stream'
import {
  type ChunkBatch,
  type DenseBatch,
  type EmbeddedChunk,
  type EmbedOptions,
  type ErrorCode,
  type MillraceError,
  type ModelInfo,
  type Progress,
  SparseTextEmbedding,
  TextEmbedding,
  type TextEmbeddingOptions,
  type TextEmbeddingStream,
} from '../../index.js'

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>) => {}

const model = await TextEmbedding.create()
same<typeof model, TextEmbedding<'float32', 'throw'>>(true)

// Rows and batches follow dtype and errors of the call.
const rows = await model.embed(['a']).toArray()
same<typeof rows, Float32Array[]>(true)
const collected = await model.embed(['a'], { errors: 'collect' }).toArray()
same<typeof collected, (Float32Array | null)[]>(true)
const half = await model.embed('a', { dtype: 'float16' }).toMatrix()
same<typeof half, DenseBatch<'float16'>>(true)
same<typeof half.data, Uint16Array>(true)
const bits = await model.queryEmbed('a', { dtype: 'ubinary' }).toArray()
same<typeof bits, Uint8Array[]>(true)
for await (const row of model.passageEmbed(['a'], { dtype: 'int8' }).rows()) same<typeof row, Int8Array>(true)
for await (const batch of model.embed(new Set(['a']))) {
  same<typeof batch, DenseBatch<'float32'>>(true)
  same<ReturnType<typeof batch.row>, Float32Array>(true)
  const _error: MillraceError | undefined = batch.errors.get(0)
}
const _web: ReadableStream<DenseBatch> = model.embed(['a']).toReadableStream()

// They follow the defaults of the model too, and the call wins.
const small = await TextEmbedding.create({ dtype: 'int8', errors: 'collect' })
const smallRows = await small.embed(['a']).toArray()
same<typeof smallRows, (Int8Array | null)[]>(true)
const strict = await small.embed(['a'], { dtype: 'float32', errors: 'throw' }).toArray()
same<typeof strict, Float32Array[]>(true)

// What a call does not say follows the model, whatever the result is put into.
// @ts-expect-error its rows may be null
const _strictStream: TextEmbeddingStream<'int8', 'throw'> = small.embed(['a'])
const _smallStream: TextEmbeddingStream<'int8', 'collect'> = small.embed(['a'])

// Chunks: a row is a list of them, with their places.
const chunks = await model.embedChunks(['a']).toArray()
same<typeof chunks, EmbeddedChunk[][]>(true)
const smallChunks = await small.embedChunks(['a'], { chunkOverlap: 4 }).toMatrix()
same<typeof smallChunks, ChunkBatch<'int8'>>(true)

// Sources.
async function* lines() {
  yield 'a'
}
model.embed(lines())
model.embed(new ReadableStream<string>())
model.embed(Readable.from(['a']))
model.embed(new Map([['a', 1]]).keys())
// @ts-expect-error a number is no source
model.embed(7)
// @ts-expect-error items are strings
model.embed([1, 2])

// Options.
const maybe: AbortSignal | undefined = undefined
model.embed(['a'], { signal: maybe, prompt: 'query: ', total: 1, onProgress: (p: Progress) => p.done })
// @ts-expect-error no such option
model.embed(['a'], { batch_size: 8 })
model.embed(['a'], { overflow: 'chunk' })
// @ts-expect-error there is no such way
model.embed(['a'], { overflow: 'cut' })
// @ts-expect-error no such format
model.embed(['a'], { dtype: 'float64' })
await TextEmbedding.create({ signal: maybe, onDownload: ({ file, receivedBytes }) => [file, receivedBytes] })
// @ts-expect-error progress of runs belongs to one call
TextEmbedding.create({ onProgress() {} })
await TextEmbedding.create({
  modelPath: new URL('file:///models/m'),
  parallel: null,
  prompts: { query: 'query: ' },
  deviceIds: [0, 1] as const,
  device: 'cuda',
})
// @ts-expect-error no such device
await TextEmbedding.create({ device: 'gpu' })
const _wide: TextEmbeddingOptions = { dtype: 'int8' }
const _callOptions: EmbedOptions<'int8'> = { dtype: 'int8' }

// The rest.
TextEmbedding.addCustomModel({ model: 'a/b', modelPath: '/m', pooling: 'cls' })
TextEmbedding.addCustomModel({ model: 'a/c', modelPath: '/m', pooling: 'weighted-mean' })
// @ts-expect-error a custom model lies somewhere
TextEmbedding.addCustomModel({ model: 'a/b' })
TextEmbedding.addCustomModel({ model: 'a/b', repo: 'c/d', revision: 'v1', prompts: { query: 'q: ' } })
// @ts-expect-error it lies in one place
TextEmbedding.addCustomModel({ model: 'a/b', repo: 'c/d', modelPath: '/m' })
// @ts-expect-error a sparse model has a kind
SparseTextEmbedding.addCustomModel({ model: 'a/b', repo: 'c/d' })
const info: ModelInfo = await model.info()
same<typeof info.poolingSource, string | undefined>(true)
same<typeof info.outputSource, string | undefined>(true)
same<typeof info.normalizeSource, string | undefined>(true)
same<typeof info.maxLengthSource, string | undefined>(true)
const _dim: number | undefined = info.dim
const _texts: number = model.metrics().inputs
const _tokens: number = await model.tokenCount(['a'], { maxLength: 8 })
const _code: ErrorCode = 'OVERLOADED'
// @ts-expect-error the set of codes is closed
const _other: ErrorCode = 'ODD'
// @ts-expect-error only create makes a model
new TextEmbedding()
await model.close({ timeoutMs: 10 })
{
  await using _scoped = await TextEmbedding.create({ lazyLoad: true })
}
