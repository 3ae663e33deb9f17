/** Scores of pairs, as the caller sees them. Sorting is elsewhere. */

import type { MillraceError } from '../base/errors.js'
import type { NativeBatch } from '../binding/types.js'
import type { Collector } from './batch.js'
import { factsOf, RowBatch, type RowFacts } from './row-batch.js'

/** Scores of some pairs; higher is better. Comparable within one model only. A failed pair's place is 0. */
export class ScoreBatch extends RowBatch<number> {
  /** One score a pair. */
  readonly scores: Float32Array

  /** @internal */
  constructor(parts: RowFacts & { scores: Float32Array }) {
    super(parts)
    this.scores = parts.scores
  }

  protected override value(i: number): number {
    return this.scores[i] as number
  }
}

/** The public batch of a native one; see {@link factsOf}. */
export function scoresFromNative(native: NativeBatch, inputErrors: Map<number, MillraceError>): ScoreBatch {
  return new ScoreBatch({ ...factsOf(native, inputErrors), scores: native.data as Float32Array })
}

/** Many batches as one, for `toMatrix`. */
export class ScoreList implements Collector<ScoreBatch> {
  readonly #batches: ScoreBatch[] = []

  add(batch: ScoreBatch): void {
    this.#batches.push(batch)
  }

  finish(): ScoreBatch {
    const length = this.#batches.reduce((sum, batch) => sum + batch.length, 0)
    const [scores, tokens] = [new Float32Array(length), new Uint32Array(length)]
    const truncated = new Uint8Array(length)
    const errors = new Map<number, MillraceError>()
    for (const batch of this.#batches) {
      for (let i = 0; i < batch.length; i++) {
        const row = batch.indexOf(i)
        scores[row] = batch.scores[i] as number
        tokens[row] = batch.tokens[i] as number
        truncated[row] = batch.truncated[i] as number
      }
      for (const [index, error] of batch.errors) errors.set(index, error)
    }
    return new ScoreBatch({ offset: 0, length, tokens, truncated, errors, scores })
  }
}
