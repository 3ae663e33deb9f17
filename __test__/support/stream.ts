/** An `EmbeddingStream` over a job in memory, put together as `TextEmbedding` does it. */

import { type DenseBatch, denseFromNative, type VectorOf } from '../../src/batches/dense.js'
import { DenseMatrix } from '../../src/batches/dense-matrix.js'
import { EmbeddingStream, type StreamPlan } from '../../src/stream/embedding-stream.js'
import { texts as textItems } from '../../src/stream/items.js'
import { DIM, MemoryJob, type MemoryJobOptions } from './memory-job.js'

type Dense = DenseBatch<'float32'>
type Extra = Partial<Pick<StreamPlan<Dense>, 'signal' | 'onProgress' | 'total' | 'open'>>

export function streamOver(source: unknown, options: MemoryJobOptions = {}, extra: Extra = {}) {
  const job = new MemoryJob(options)
  let opened = 0
  const stream = new EmbeddingStream<Dense, VectorOf<'float32'> | null>({
    source,
    kind: textItems,
    async open() {
      opened++
      return job
    },
    decode: (native, inputErrors) => denseFromNative<'float32'>(native, inputErrors),
    collector: () =>
      new DenseMatrix<'float32'>({
        dtype: (options.int8 ? 'int8' : 'float32') as 'float32',
        dim: DIM,
        rows: 0,
      }),
    collect: options.errors === 'collect',
    ...extra,
  })
  return { stream, job, opened: () => opened }
}

/** `text 0`, `text 1`… */
export function texts(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${'x'.repeat(i % 7)} text ${i}`)
}

/** An async iterable that counts what is read of it and whether it was released. */
export function counted(count: number, item: (i: number) => unknown = (i) => `text ${i}`) {
  const state = { read: 0, returned: 0 }
  const source: AsyncIterable<unknown> = {
    [Symbol.asyncIterator]: () => ({
      async next() {
        if (state.read >= count) return { done: true, value: undefined }
        return { done: false, value: item(state.read++) }
      },
      async return() {
        state.returned++
        return { done: true, value: undefined }
      },
    }),
  }
  return { source, state }
}
