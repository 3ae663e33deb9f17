/** Streams of multi-vectors, for the families whose rows are lists of vectors. */

import { type MultiVectorBatch, MultiVectorMatrix, multiVectorFromNative } from '../batches/multi-vector.js'
import type { NativeJobOptions } from '../binding/types.js'
import type { LoadedModel } from '../loading/loaded-model.js'
import type { Call, ErrorMode, RowOr } from '../options/call.js'
import type { EmbeddingStream } from '../stream/embedding-stream.js'
import type { ItemKind } from '../stream/items.js'
import { openStream } from '../stream/open-stream.js'

/** The stream of multi-vectors: a row is a list of vectors, one for each token or patch. */
export type MultiVectorStream<E extends ErrorMode> = EmbeddingStream<
  MultiVectorBatch,
  RowOr<Float32Array[], E>
>

/** The stream of a call whose native job has the options `job`. Throws INPUT_INVALID when `source` is no source. */
export function openMultiVectorStream<E extends ErrorMode>(
  loaded: LoadedModel,
  source: unknown,
  kind: ItemKind<unknown>,
  call: Call<unknown>,
  job: NativeJobOptions,
): MultiVectorStream<E> {
  return openStream({
    loaded,
    source,
    kind,
    call,
    prepare: () => job,
    decode: multiVectorFromNative,
    collector: ({ dim }) => new MultiVectorMatrix(dim),
  })
}
