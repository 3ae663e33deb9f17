/** Streams of dense vectors, for the families whose rows are one vector each. */

import { type DenseBatch, denseFromNative, type VectorOf } from '../batches/dense.js'
import { DenseMatrix, rowValues } from '../batches/dense-matrix.js'
import type { NativeJobOptions, NativeModel } from '../binding/types.js'
import type { DType } from '../formats/dtype.js'
import type { LoadedModel } from '../loading/loaded-model.js'
import type { Call, ErrorMode, RowOr } from '../options/call.js'
import type { EmbeddingStream } from '../stream/embedding-stream.js'
import type { ItemKind } from '../stream/items.js'
import { openStream } from '../stream/open-stream.js'

/** The stream of dense vectors: a row is one vector in the format of the call's `dtype`. */
export type DenseStream<D extends DType, E extends ErrorMode> = EmbeddingStream<
  DenseBatch<D>,
  RowOr<VectorOf<D>, E>
>

/**
 * The stream of a call; `jobOf` gives the native job's options once the model is there. Throws INPUT_INVALID when `source`
 * is no source.
 */
export function openDenseStream<D extends DType, E extends ErrorMode>(
  loaded: LoadedModel,
  source: unknown,
  kind: ItemKind<unknown>,
  call: Call<unknown>,
  jobOf: (native: NativeModel) => NativeJobOptions = () => call.job,
): DenseStream<D, E> {
  const { job } = call
  return openStream({
    loaded,
    source,
    kind,
    call,
    prepare: jobOf,
    decode: denseFromNative<D>,
    collector: ({ rows, dim }) =>
      new DenseMatrix<D>({ dtype: job.dtype as D, dim: rowValues(dim, job), rows }),
  })
}
