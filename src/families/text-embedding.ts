/** The public class for dense text vectors. It checks, names and wires; the work is in `stream/` and the addon. */

import { invalidOption } from '../base/errors.js'
import { type ChunkBatch, ChunkMatrix, chunksFromNative, type EmbeddedChunk } from '../batches/chunks.js'
import { rowValues } from '../batches/dense-matrix.js'
import type { NativeJobOptions, NativeModel } from '../binding/types.js'
import type { DType } from '../formats/dtype.js'
import type { LoadedModel } from '../loading/loaded-model.js'
import { type CustomModel, type CustomTextSettings, customText } from '../models/custom.js'
import type { ModelDescription } from '../models/describe.js'
import { DEFAULT_TEXT_MODEL, textModels } from '../models/registries.js'
import { type Call, type ErrorMode, parseCall, QUERY_PRIORITY, type RowOr } from '../options/call.js'
import type { Checked } from '../options/check.js'
import type { CallDefaults, ChunkOptions, EmbedOptions } from '../options/dense.js'
import { chunkChecks, denseDefaultChecks, embedChecks } from '../options/dense.js'
import { type TextEmbeddingOptions, type TextModelOptions, textModelChecks } from '../options/text.js'
import type { EmbeddingStream } from '../stream/embedding-stream.js'
import { texts } from '../stream/items.js'
import { openStream } from '../stream/open-stream.js'
import type { TextSource } from '../stream/source.js'
import { BaseModel } from './base-model.js'
import { type DenseStream, openDenseStream } from './dense-stream.js'
import { Family } from './family.js'
import { choosePrompt, type Role } from './prompts.js'
import { countTokens, type TokenCountOptions } from './token-count.js'

/** The stream of dense text vectors. */
export type TextEmbeddingStream<D extends DType, E extends ErrorMode> = DenseStream<D, E>

/** The stream of texts in chunks. */
export type ChunkEmbeddingStream<D extends DType, E extends ErrorMode> = EmbeddingStream<
  ChunkBatch<D>,
  RowOr<EmbeddedChunk<D>[], E>
>

/** The tasks of `queryEmbed` and `passageEmbed` for models that have tasks; FastEmbed's. */
const ROLE_TASKS: Readonly<Partial<Record<Role, number>>> = { query: 0, passage: 1 }

const DENSE_TEXT = new Family<TextEmbeddingOptions, CallDefaults, CustomTextSettings>({
  className: 'TextEmbedding',
  native: 'dense',
  registry: textModels,
  defaultModel: DEFAULT_TEXT_MODEL,
  defaultChecks: denseDefaultChecks,
  checks: { ...denseDefaultChecks, ...textModelChecks },
  custom: customText,
})

/**
 * Turns texts into dense vectors on this machine, off the event loop.
 *
 * One instance serves any number of concurrent calls: they share the threads, and their texts share runs. The type
 * parameters are the default `dtype` and `errors` of its calls.
 *
 * @example
 * const model = await TextEmbedding.create()
 * const [query] = await model.queryEmbed('how do I resize a partition?').toArray()
 * for await (const batch of model.embed(lines)) {
 *   for (let i = 0; i < batch.length; i++) index.add(batch.indexOf(i), batch.row(i))
 * }
 */
export class TextEmbedding<D extends DType = 'float32', E extends ErrorMode = 'throw'> extends BaseModel {
  readonly #prompts: TextModelOptions['prompts']
  readonly #defaults: Checked<CallDefaults>

  private constructor(
    name: string,
    loaded: LoadedModel,
    prompts: TextModelOptions['prompts'],
    defaults: Checked<CallDefaults>,
  ) {
    super(name, loaded, defaults)
    this.#prompts = prompts
    this.#defaults = defaults
  }

  /**
   * Loads a model: without options the bundled all-MiniLM-L6-v2 (384 dimensions), with no network. Any other named model is
   * downloaded at its first use.
   *
   * @throws MillraceError INVALID_OPTION, MODEL_NOT_FOUND, MODEL_INVALID, DOWNLOAD_FAILED, OFFLINE, RUNTIME_NOT_FOUND,
   * RUNTIME_INCOMPATIBLE, DEVICE_UNAVAILABLE. With `lazyLoad`, what loading finds comes with the first use.
   *
   * @example
   * const model = await TextEmbedding.create({ modelPath: './bge-small-en', pooling: 'cls', dtype: 'int8' })
   */
  static async create<D extends DType = 'float32', E extends ErrorMode = 'throw'>(
    options?: TextEmbeddingOptions<D, E>,
  ): Promise<TextEmbedding<D, E>> {
    const { model, calls } = DENSE_TEXT.parse(options)
    const { prompts, ...chosen } = model
    const { name, loaded } = await DENSE_TEXT.open(chosen)
    return new TextEmbedding<D, E>(name, loaded, prompts, calls)
  }

  /** The models that can be named: the bundled one and those registered in this process. */
  static listSupportedModels(): ModelDescription[] {
    return DENSE_TEXT.list()
  }

  /**
   * Registers a model under a name, for this process: a directory, or a repository on the hub.
   *
   * @throws MillraceError INVALID_OPTION, also when the name is taken.
   *
   * @example
   * TextEmbedding.addCustomModel({ model: 'acme/search', modelPath: '/models/search', pooling: 'mean', normalize: true })
   * TextEmbedding.addCustomModel({ model: 'e5-small', repo: 'Xenova/e5-small-v2', pooling: 'mean', normalize: true })
   * const model = await TextEmbedding.create({ model: 'acme/search' })
   */
  static addCustomModel(definition: CustomModel): void {
    DENSE_TEXT.add(definition)
  }

  /**
   * Vectors of texts, as a stream: output `i` belongs to input `i`. Nothing starts before it is read.
   *
   * @throws MillraceError INVALID_OPTION, or INPUT_INVALID when `source` is no source; the rest comes with reading.
   */
  embed<CD extends DType = D, CE extends ErrorMode = E>(
    source: TextSource,
    options?: EmbedOptions<CD, CE>,
  ): TextEmbeddingStream<NoInfer<CD>, NoInfer<CE>> {
    return this.#stream(source, 'text', this.#call('embed', options))
  }

  /**
   * Vectors of queries, one or several: as `embed`, ahead of bulk work, with the model's query prompt if `prompts` says so.
   *
   * @example
   * const [vector] = await model.queryEmbed('what is a millrace?').toArray()
   */
  queryEmbed<CD extends DType = D, CE extends ErrorMode = E>(
    source: TextSource,
    options?: EmbedOptions<CD, CE>,
  ): TextEmbeddingStream<NoInfer<CD>, NoInfer<CE>> {
    return this.#stream(source, 'query', this.#call('queryEmbed', options, QUERY_PRIORITY))
  }

  /** Vectors of passages to search in: as `embed`, with the model's passage prompt if `prompts` says so. */
  passageEmbed<CD extends DType = D, CE extends ErrorMode = E>(
    source: TextSource,
    options?: EmbedOptions<CD, CE>,
  ): TextEmbeddingStream<NoInfer<CD>, NoInfer<CE>> {
    return this.#stream(source, 'passage', this.#call('passageEmbed', options))
  }

  /**
   * Vectors of long texts chunk by chunk: each text is cut by the model's own tokenizer into chunks that fit, a chunk having
   * `chunkOverlap` tokens in common with the one before. Row `i` are the chunks of input `i` in order, each with its place
   * in the text; together they cover it.
   *
   * @example
   * for (const { vector, start, end } of (await model.embedChunks(article).toArray())[0]) add(article.slice(start, end), vector)
   */
  embedChunks<CD extends DType = D, CE extends ErrorMode = E>(
    source: TextSource,
    options?: ChunkOptions<CD, CE>,
  ): ChunkEmbeddingStream<NoInfer<CD>, NoInfer<CE>> {
    const { overflow: _, ...defaults } = this.#defaults
    const call = parseCall<ChunkOptions>('embedChunks', options, chunkChecks, defaults)
    const { job } = call
    return openStream({
      loaded: this.loaded,
      source,
      kind: texts,
      call,
      prepare: (native) => ({
        ...this.#prepared('text', call, native),
        overflow: 'chunk',
        chunkOutput: 'each',
      }),
      decode: chunksFromNative<CD>,
      collector: ({ dim }) => new ChunkMatrix<CD>(job.dtype as CD, rowValues(dim, job)),
    })
  }

  /**
   * Tokens of the texts together, special tokens included, as `embed` would compute them: cut at the limit.
   *
   * @throws MillraceError INPUT_INVALID with the item's index, INVALID_OPTION, CLOSED; or what the source throws.
   */
  async tokenCount(source: TextSource, options?: TokenCountOptions): Promise<number> {
    return countTokens(() => this.loaded.get(), source, options)
  }

  /**
   * @internal How `passageEmbed` with such options embeds: what is written before texts, what its rows are, and what else of the model's
   * defaults they depend on.
   */
  passageFacts(
    native: NativeModel,
    options: { dtype?: DType | undefined; dimensions?: number | undefined },
  ): { prompt: string; dtype: DType; dim: number; others: unknown } {
    const call = this.#call('passageEmbed', options)
    const { prompt = '', dtype, task, overflow, chunkOverlap } = this.#prepared('passage', call, native)
    const dim = call.job.dimensions ?? native.info().dim ?? 0
    return { prompt, dtype, dim, others: { task, overflow, chunkOverlap } }
  }

  #call(where: string, options: unknown, basePriority = 0): Call<EmbedOptions> {
    return parseCall<EmbedOptions>(where, options, embedChecks, this.#defaults, basePriority)
  }

  #stream<CD extends DType, CE extends ErrorMode>(
    source: TextSource,
    role: Role,
    call: Call<EmbedOptions>,
  ): TextEmbeddingStream<CD, CE> {
    return openDenseStream(this.loaded, source, texts, call, (native) => this.#prepared(role, call, native))
  }

  /** The job's options, with what depends on the loaded model. */
  #prepared(role: Role, { job, options }: Call<EmbedOptions>, native: NativeModel): NativeJobOptions {
    const info = native.info()
    const prompt = options.prompt ?? choosePrompt(this.#prompts, role, info, this.loaded.prompts)
    const task = this.#task(role, options.taskId, info.hasTasks)
    return {
      ...job,
      ...(prompt !== undefined && prompt !== '' && { prompt }),
      ...(task !== undefined && { task }),
    }
  }

  /** As FastEmbed: queries and passages have tasks of their own, whatever the model's default says. */
  #task(role: Role, asked: number | undefined, hasTasks: boolean): number | undefined {
    if (!hasTasks) {
      if (asked !== undefined) throw invalidOption('taskId', 'no value, as the model has no tasks', asked)
      return undefined
    }
    return asked === this.#defaults.taskId ? (ROLE_TASKS[role] ?? asked) : asked
  }
}
