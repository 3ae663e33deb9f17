/** The models of a pipeline as its stages need them: streams of rows, shapes, names. */

import { canonical } from '../base/canonical.js'
import { invalidOption } from '../base/errors.js'
import type { DenseBatch } from '../batches/dense.js'
import type { SparseBatch } from '../batches/sparse.js'
import { loadAddon } from '../binding/load.js'
import type { NativeModel } from '../binding/types.js'
import { SparseTextEmbedding } from '../families/sparse-text-embedding.js'
import { TextEmbedding } from '../families/text-embedding.js'
import type { DType } from '../formats/dtype.js'
import { locateModel, nativeOptions } from '../models/locate.js'
import { DEFAULT_TEXT_MODEL, textModels } from '../models/registries.js'
import type { QuantizationRanges } from '../quantize/ranges.js'
import { TextChunker } from '../text/chunk.js'
import type { Chunkers } from './cutting.js'
import { type Lane, storeDense, storeSparse } from './embed.js'
import type { RowShape } from './job.js'
import type { Fingerprint } from './journal/journal.js'
import type { PipelinePlan } from './options.js'
import type { VectorSchema } from './sink.js'

type AnyDense = TextEmbedding<DType, 'throw' | 'collect'>
type AnySparse = SparseTextEmbedding<'throw' | 'collect'>

/** Kinds of sparse vectors that lack the inverse document frequency. */
const WITHOUT_IDF = /bm25|minicoil/i

/** What a run knows of its models. */
export interface ModelFacts {
  shape: RowShape
  schema: VectorSchema
  fingerprint: Fingerprint
  chunkers: Chunkers | undefined
}

/** The models, loaded here or given. */
export class PipelineModels {
  readonly dense: AnyDense | undefined
  readonly sparse: AnySparse | undefined
  readonly #owned: (AnyDense | AnySparse)[]
  readonly #plan: PipelinePlan
  #facts: Promise<ModelFacts> | undefined

  private constructor(
    plan: PipelinePlan,
    dense: AnyDense | undefined,
    sparse: AnySparse | undefined,
    owned: (AnyDense | AnySparse)[],
  ) {
    this.#plan = plan
    this.dense = dense
    this.sparse = sparse
    this.#owned = owned
  }

  /** Loads what was not given; nothing stays loaded where that fails. */
  static async open(plan: PipelinePlan): Promise<PipelineModels> {
    const owned: (AnyDense | AnySparse)[] = []
    try {
      const own = <M extends AnyDense | AnySparse>(model: M): M => {
        owned.push(model)
        return model
      }
      let dense: AnyDense | undefined
      if (isModel<AnyDense>(plan.dense)) dense = plan.dense
      else if (plan.dense !== false) dense = own(await TextEmbedding.create(plan.dense))
      let sparse: AnySparse | undefined
      if (isModel<AnySparse>(plan.sparse)) sparse = plan.sparse
      else if (plan.sparse !== undefined) sparse = own(await SparseTextEmbedding.create(plan.sparse))
      return new PipelineModels(plan, dense, sparse, owned)
    } catch (error) {
      await Promise.all(owned.map((model) => model.close()))
      throw error
    }
  }

  /** Closes those that were loaded here. */
  async close(): Promise<void> {
    await Promise.all(this.#owned.map((model) => model.close()))
  }

  /** What runs need to know; asked for once. */
  facts(): Promise<ModelFacts> {
    this.#facts ??= this.#find().catch((error: unknown) => {
      this.#facts = undefined
      throw error
    })
    return this.#facts
  }

  /** The models as lanes; the first counts the tokens. */
  lanes(signal: AbortSignal): Lane<never>[] {
    const { dense, sparse } = this
    const { cache, dimensions, ranges, dtype } = this.#plan
    const common = {
      errors: 'collect',
      order: 'completion',
      eager: true,
      // Fixed slices would wait for documents that wait for these.
      batching: 'planned',
      signal,
      ...(cache !== undefined && { cache }),
    } as const
    const lanes: Lane<never>[] = []
    if (dense !== undefined) {
      const wanted = ranges === undefined ? dtype : 'float32'
      const options = { ...common, dimensions, ...(wanted !== undefined && { dtype: wanted }) }
      lanes.push({
        open: (texts) => dense.passageEmbed(texts, options),
        store: storeDense,
        leads: true,
      } satisfies Lane<DenseBatch<DType>> as unknown as Lane<never>)
    }
    if (sparse !== undefined) {
      lanes.push({
        open: (texts) => sparse.passageEmbed(texts, common),
        store: storeSparse,
        leads: dense === undefined,
      } satisfies Lane<SparseBatch> as unknown as Lane<never>)
    }
    return lanes
  }

  async #find(): Promise<ModelFacts> {
    const { dense, sparse } = this
    const plan = this.#plan
    const shape: RowShape = { sparse: sparse !== undefined }
    const schema: VectorSchema = {}
    const parts: Record<string, string> = {}
    let prompt = ''
    const natives: NativeModel[] = []
    if (dense !== undefined) {
      const { native, identity } = await dense.named()
      const engine = plan.ranges === undefined ? plan.dtype : 'float32'
      const facts = dense.passageFacts(native, { dtype: engine, dimensions: plan.dimensions })
      const dim = facts.dim || (await dense.passageEmbed('').toMatrix()).dim
      prompt = facts.prompt
      natives.push(native)
      shape.dense = { dim, dtype: facts.dtype }
      const dtype = plan.ranges === undefined ? facts.dtype : (plan.dtype ?? 'int8')
      schema.dense = {
        model: dense.model,
        dim,
        dtype,
        ...(plan.ranges !== undefined && { ranges: plan.ranges }),
      }
      if (plan.ranges !== undefined && plan.ranges.dim !== dim) {
        throw invalidOption('ranges', `ranges of ${dim} dimensions`, plan.ranges.dim)
      }
      parts['dense model'] = identity
      parts['dense model options'] = canonical(facts.others)
      parts['prompt'] = prompt
      parts['dtype'] = dtype
      parts['dimensions'] = String(dim)
      parts['ranges'] = plan.ranges === undefined ? 'none' : nameOf(plan.ranges)
    }
    if (sparse !== undefined) {
      const { native, identity } = await sparse.named()
      natives.push(native)
      schema.sparse = { model: sparse.model, idf: WITHOUT_IDF.test(sparse.model) }
      parts['sparse model'] = identity
    }
    const chunkers = await this.#chunkers(natives, prompt)
    const { prepare, chunk, duplicates, sink } = plan
    parts['prepare options'] = canonical(prepare)
    parts['chunk options'] = canonical(
      chunk === false ? false : { ...chunk, maxTokens: chunkers?.plain.maxTokens },
    )
    parts['duplicates options'] = canonical(duplicates)
    parts['sink'] = sink.name
    return { shape, schema, fingerprint: parts, chunkers }
  }

  /** Counted by the dense model's tokenizer, or the sparse one's; where neither has one (BM25), by the bundled model's. */
  async #chunkers(natives: readonly NativeModel[], prefix: string): Promise<ModelFacts['chunkers']> {
    const { chunk } = this.#plan
    if (chunk === false) return undefined
    const infos = natives.map((native) => native.info()).filter(({ dir }) => dir !== undefined)
    const dir = infos[0]?.dir ?? (await bundledDirectory())
    const limits = infos.map(({ maxLength }) => maxLength ?? Number.POSITIVE_INFINITY)
    const maxTokens = Math.min(chunk.maxTokens ?? Number.POSITIVE_INFINITY, ...limits)
    const options = {
      dir,
      prefix,
      overlap: chunk.overlap ?? 0,
      ...(Number.isFinite(maxTokens) && { maxTokens }),
    }
    const { by } = chunk
    if (by !== 'auto') {
      const all = await TextChunker.open({ ...options, by })
      return { plain: all, markdown: all }
    }
    const [plain, markdown] = await Promise.all([
      TextChunker.open({ ...options, by: 'sentence' }),
      TextChunker.open({ ...options, by: 'markdown' }),
    ])
    return { plain, markdown }
  }
}

/** Thousands of numbers in a few characters. */
function nameOf(ranges: QuantizationRanges): string {
  return loadAddon().addon.nameFields([JSON.stringify(ranges)])
}

/** Not `instanceof`: it may come from the other of this package's two builds. */
function isModel<M extends object>(value: unknown): value is M {
  return typeof value === 'object' && value !== null && 'passageEmbed' in value
}

async function bundledDirectory(): Promise<string> {
  const located = locateModel(textModels, {}, DEFAULT_TEXT_MODEL)
  const { dir } = await nativeOptions('dense', located, {}, new AbortController().signal)
  return dir ?? ''
}
