/** The public class for scoring documents against a query. It checks, names and wires. */

import { invalidOption } from '../base/errors.js'
import { textOf } from '../base/foreign.js'
import { type ScoreBatch, ScoreList, scoresFromNative } from '../batches/score.js'
import type { LoadedModel } from '../loading/loaded-model.js'
import { type CustomModel, type CustomRerankSettings, customRerank } from '../models/custom.js'
import type { ModelDescription } from '../models/describe.js'
import { DEFAULT_RERANK_MODEL, rerankModels } from '../models/registries.js'
import { type Call, type ErrorMode, parseCall, QUERY_PRIORITY, type RowOr } from '../options/call.js'
import { type Checked, positiveInteger } from '../options/check.js'
import type {
  RankOptions,
  RerankDefaults,
  RerankOptions,
  TextCrossEncoderOptions,
} from '../options/rerank.js'
import { rankChecks, rerankChecks, rerankDefaultChecks, rerankModelChecks } from '../options/rerank.js'
import type { EmbeddingStream } from '../stream/embedding-stream.js'
import { documentsOf, type ItemKind, pairs, type TextPair } from '../stream/items.js'
import { openStream } from '../stream/open-stream.js'
import type { ItemSource, TextSource } from '../stream/source.js'
import { BaseModel } from './base-model.js'
import { Family } from './family.js'
import { countPairTokens } from './token-count.js'

/** The stream of scores: a row is a number. */
export type ScoreStream<E extends ErrorMode> = EmbeddingStream<ScoreBatch, RowOr<number, E>>

/** Options for the best documents; a model that collects errors has to be told not to, as failed documents have no rank. */
export type BestOptions<E extends ErrorMode> = RerankOptions<'throw'> & { topN: number } & ([E] extends [
    'throw',
  ]
    ? unknown
    : { errors: 'throw' })

/** One of the best documents. */
export interface RankedDocument {
  /** Position among the documents given. */
  index: number
  score: number
  document: string
}

const CROSS_ENCODERS = new Family<TextCrossEncoderOptions, RerankDefaults, CustomRerankSettings>({
  className: 'TextCrossEncoder',
  native: 'rerank',
  registry: rerankModels,
  defaultModel: DEFAULT_RERANK_MODEL,
  defaultChecks: rerankDefaultChecks,
  checks: { ...rerankDefaultChecks, ...rerankModelChecks },
  custom: customRerank,
})

/**
 * Says how well documents answer a query, reading both together: slower and better than comparing vectors, for the best
 * hundred or so of a search.
 *
 * @example
 * const reranker = await TextCrossEncoder.create({ model: 'Xenova/ms-marco-MiniLM-L-6-v2' })
 * const best = await reranker.rerank('how do I resize a partition?', documents, { topN: 5 })
 */
export class TextCrossEncoder<E extends ErrorMode = 'throw'> extends BaseModel {
  readonly #defaults: Checked<RerankDefaults>

  private constructor(name: string, loaded: LoadedModel, defaults: Checked<RerankDefaults>) {
    super(name, loaded, defaults)
    this.#defaults = defaults
  }

  /**
   * Loads a model: without options MiniLM L6 trained on MS MARCO.
   *
   * @throws MillraceError INVALID_OPTION, MODEL_NOT_FOUND, MODEL_INVALID, DOWNLOAD_FAILED, OFFLINE, RUNTIME_NOT_FOUND,
   * RUNTIME_INCOMPATIBLE, DEVICE_UNAVAILABLE. With `lazyLoad`, what loading finds comes with the first use.
   */
  static async create<E extends ErrorMode = 'throw'>(
    options?: TextCrossEncoderOptions<E>,
  ): Promise<TextCrossEncoder<E>> {
    const { name, loaded, calls } = await CROSS_ENCODERS.create(options)
    return new TextCrossEncoder<E>(name, loaded, calls)
  }

  /** The models that can be named: the supported ones and those registered in this process. */
  static listSupportedModels(): ModelDescription[] {
    return CROSS_ENCODERS.list()
  }

  /**
   * Registers a model under a name, for this process.
   *
   * @throws MillraceError INVALID_OPTION, also when the name is taken.
   */
  static addCustomModel(definition: CustomModel<CustomRerankSettings>): void {
    CROSS_ENCODERS.add(definition)
  }

  /**
   * The best documents, best first; of equal scores the earlier one. Rejects as reading the stream does.
   *
   * @throws MillraceError INVALID_OPTION, or INPUT_INVALID when `documents` is no source.
   */
  rerank(query: string, documents: TextSource, options: BestOptions<E>): Promise<RankedDocument[]>
  /**
   * Scores of documents in their order, as a stream: score `i` belongs to document `i`. Nothing starts before it is
   * read.
   *
   * @throws MillraceError INVALID_OPTION, or INPUT_INVALID when `documents` is no source; the rest comes with reading.
   */
  rerank<CE extends ErrorMode = E>(
    query: string,
    documents: TextSource,
    options?: RerankOptions<CE>,
  ): ScoreStream<NoInfer<CE>>
  rerank(
    query: string,
    documents: TextSource,
    options?: RankOptions,
  ): ScoreStream<ErrorMode> | Promise<RankedDocument[]> {
    const asked = textOf(query)
    if (asked === undefined) throw invalidOption('query', 'string', query)
    const call = parseCall<RankOptions>('rerank', options, rankChecks, this.#defaults, QUERY_PRIORITY)
    const { topN } = call.options
    if (topN === undefined) return this.#stream(documents, documentsOf(asked), call)
    return this.#best(asked, documents, call, positiveInteger('topN', topN))
  }

  /** Scores of pairs `[query, document]` in their order, as a stream: bulk work. */
  rerankPairs<CE extends ErrorMode = E>(
    source: ItemSource<TextPair>,
    options?: RerankOptions<CE>,
  ): ScoreStream<NoInfer<CE>> {
    const call = parseCall<RerankOptions>('rerankPairs', options, rerankChecks, this.#defaults)
    return this.#stream(source, pairs, call)
  }

  /**
   * Tokens of the pairs together, special tokens included, cut at the limit.
   *
   * @throws MillraceError INPUT_INVALID with the item's index, INVALID_OPTION, CLOSED; or what the source throws.
   */
  async tokenCount(
    source: ItemSource<TextPair>,
    options?: { maxLength?: number | undefined },
  ): Promise<number> {
    return countPairTokens(() => this.loaded.get(), source, pairs, options)
  }

  /** Keeps no more documents than it returns, beside those on their way. */
  async #best(
    query: string,
    documents: TextSource,
    call: Call<RerankOptions>,
    topN: number,
  ): Promise<RankedDocument[]> {
    if (call.job.errors === 'collect') throw invalidOption('errors', "'throw' with topN", 'collect')
    const waiting = new Map<number, string>()
    const kind = documentsOf(query)
    let next = 0
    const noted: ItemKind<string> = {
      ...kind,
      encode(item) {
        const document = kind.encode(item)
        if (document !== undefined) waiting.set(next++, document)
        return document
      },
    }
    const best: RankedDocument[] = []
    for await (const batch of this.#stream<'throw'>(documents, noted, call)) {
      for (let i = 0; i < batch.length; i++) {
        const index = batch.indexOf(i)
        best.push({ index, score: batch.row(i), document: waiting.get(index) ?? '' })
        waiting.delete(index)
      }
      best.sort((a, b) => b.score - a.score || a.index - b.index)
      best.length = Math.min(best.length, topN)
    }
    return best
  }

  #stream<CE extends ErrorMode>(
    source: unknown,
    kind: ItemKind<unknown>,
    call: Call<RerankOptions>,
  ): ScoreStream<CE> {
    const sigmoid = call.options.activation === 'sigmoid'
    return openStream({
      loaded: this.loaded,
      source,
      kind,
      call,
      prepare: () => ({ ...call.job, sigmoid }),
      decode: scoresFromNative,
      collector: () => new ScoreList(),
    })
  }
}
