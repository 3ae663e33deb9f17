/** The public class for dense text vectors. It checks, names and wires; the work is in `stream/` and the addon. */

import { type DenseBatch, denseFromNative, type VectorOf } from './batch.js'
import type { NativeJob, NativeMetrics, NativeModelInfo, NativeModelOptions } from './binding/types.js'
import { DenseMatrix } from './dense-matrix.js'
import { EmbeddingStream } from './embedding-stream.js'
import { unwrap } from './errors.js'
import { LoadedModel } from './loaded-model.js'
import { type CustomModel, describeModel, type ModelDescription, parseCustomModel } from './models/custom.js'
import { type LocatedModel, locateModel } from './models/locate.js'
import { ModelRegistry } from './models/registry.js'
import { DEFAULT_TEXT_MODEL, TEXT_MODELS } from './models/text-models.js'
import { type Checked, integer, MAX_COUNT, parseOptions } from './options/check.js'
import {
  type Call,
  type CallDefaults,
  type DType,
  type EmbedOptions,
  type ErrorMode,
  parseCall,
  QUERY_PRIORITY,
} from './options/embed.js'
import { type ParsedModel, parseModel, type TextEmbeddingOptions } from './options/model.js'
import { choosePrompt, type Role } from './prompts.js'
import { checkSource, knownTotal, type TextSource } from './stream/source.js'
import { countTokens, type TokenCountOptions } from './token-count.js'
import { warnOnceIfTruncated } from './truncation-warning.js'

/** What a loaded model is and how it runs; sizes in bytes. */
export interface ModelInfo extends NativeModelInfo {
  /** Its name. */
  model: string
}

/** Counters since the model was loaded. */
export interface ModelMetrics extends NativeMetrics {}

/** What `toArray` and `rows` give: a vector, or `null` for a failed input of a call with `errors: 'collect'`. */
export type RowOf<D extends DType, E extends ErrorMode> = E extends 'collect'
  ? VectorOf<D> | null
  : VectorOf<D>

/** The stream of dense text vectors. */
export type TextEmbeddingStream<D extends DType, E extends ErrorMode> = EmbeddingStream<
  DenseBatch<D>,
  RowOf<D, E>
>

const registry = new ModelRegistry(TEXT_MODELS)

/**
 * Turns texts into dense vectors on this machine, off the event loop.
 *
 * One instance serves any number of concurrent calls: they share the threads, and their texts share runs. The type
 * parameters are the default `dtype` and `errors` of its calls.
 *
 * @example
 * await using model = await TextEmbedding.create()
 * const [query] = await model.queryEmbed('how do I resize a partition?').toArray()
 * for await (const batch of model.embed(lines)) {
 *   for (let i = 0; i < batch.length; i++) index.add(batch.indexOf(i), batch.row(i))
 * }
 */
export class TextEmbedding<D extends DType = 'float32', E extends ErrorMode = 'throw'>
  implements AsyncDisposable
{
  /** Name of the model. */
  readonly model: string
  readonly #loaded: LoadedModel
  readonly #prompts: ParsedModel['model']['prompts']
  readonly #defaults: Checked<CallDefaults>

  private constructor(located: LocatedModel, { model, calls }: ParsedModel) {
    this.model = located.name
    this.#loaded = new LoadedModel(nativeOptions(located, model))
    this.#prompts = model.prompts
    this.#defaults = calls
  }

  /**
   * Loads a model: without options the bundled all-MiniLM-L6-v2 (384 dimensions), with no network.
   *
   * @throws MillraceError INVALID_OPTION, MODEL_NOT_FOUND, MODEL_INVALID, RUNTIME_NOT_FOUND, RUNTIME_INCOMPATIBLE,
   * DEVICE_UNAVAILABLE. With `lazyLoad`, what loading finds comes with the first use.
   *
   * @example
   * const model = await TextEmbedding.create({ modelPath: './bge-small-en', pooling: 'cls', dtype: 'int8' })
   */
  static async create<D extends DType = 'float32', E extends ErrorMode = 'throw'>(
    options?: TextEmbeddingOptions<D, E>,
  ): Promise<TextEmbedding<D, E>> {
    const parsed = parseModel('TextEmbedding.create', options)
    const located = locateModel(registry, parsed.model, DEFAULT_TEXT_MODEL)
    const model = new TextEmbedding<D, E>(located, parsed)
    if (parsed.model.lazyLoad !== true) await model.#loaded.get()
    return model
  }

  /** The models that can be named: the bundled one and those registered in this process. */
  static listSupportedModels(): ModelDescription[] {
    return registry.list().map(describeModel)
  }

  /**
   * Registers a local model under a name, for this process.
   *
   * @throws MillraceError INVALID_OPTION, also when the name is taken.
   *
   * @example
   * TextEmbedding.addCustomModel({ model: 'acme/search', modelPath: '/models/search', pooling: 'mean', normalize: true })
   * const model = await TextEmbedding.create({ model: 'acme/search' })
   */
  static addCustomModel(definition: CustomModel): void {
    registry.add(parseCustomModel('TextEmbedding.addCustomModel', definition))
  }

  /**
   * Vectors of texts, as a stream: output `i` belongs to input `i`. Nothing starts before it is read.
   *
   * @throws MillraceError INVALID_OPTION, or INPUT_INVALID when `source` is no source; the rest comes with reading.
   */
  embed<CD extends DType = D, CE extends ErrorMode = E>(
    source: TextSource,
    options?: EmbedOptions<CD, CE>,
  ): TextEmbeddingStream<CD, CE> {
    return this.#stream(source, 'text', parseCall('embed', options, this.#defaults, 0))
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
  ): TextEmbeddingStream<CD, CE> {
    return this.#stream(source, 'query', parseCall('queryEmbed', options, this.#defaults, QUERY_PRIORITY))
  }

  /** Vectors of passages to search in: as `embed`, with the model's passage prompt if `prompts` says so. */
  passageEmbed<CD extends DType = D, CE extends ErrorMode = E>(
    source: TextSource,
    options?: EmbedOptions<CD, CE>,
  ): TextEmbeddingStream<CD, CE> {
    return this.#stream(source, 'passage', parseCall('passageEmbed', options, this.#defaults, 0))
  }

  /**
   * Tokens of the texts together, special tokens included, as `embed` would compute them: cut at the limit.
   *
   * @throws MillraceError INPUT_INVALID with the item's index, INVALID_OPTION, CLOSED; or what the source throws.
   */
  async tokenCount(source: TextSource, options?: TokenCountOptions): Promise<number> {
    return countTokens(() => this.#loaded.get(), source, options)
  }

  /** What is loaded and how it runs. Loads the model if it is not yet. Rejects with CLOSED after `close`. */
  async info(): Promise<ModelInfo> {
    return { model: this.model, ...(await this.#loaded.get()).info() }
  }

  /** Counters since the load: zeros before it, the last ones after `close`. Never loads the model. */
  metrics(): ModelMetrics {
    return this.#loaded.metrics()
  }

  /**
   * Finishes the texts already taken in, then frees threads and memory. With `timeoutMs`, work that takes longer is
   * terminated. May be called again. Streams that are not at their end reject with CLOSED.
   */
  async close(options?: { timeoutMs?: number | undefined }): Promise<void> {
    const checks = { timeoutMs: integer(0, MAX_COUNT, 'integer from 0') }
    const { timeoutMs } = parseOptions<{ timeoutMs?: number | undefined }>('close', options, checks)
    await this.#loaded.close(timeoutMs)
  }

  /** `close()` without a time limit, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #stream<CD extends DType, CE extends ErrorMode>(
    source: TextSource,
    role: Role,
    call: Call,
  ): TextEmbeddingStream<CD, CE> {
    checkSource(source)
    const { job, signal, onProgress, overflowChosen } = call
    const total = call.total ?? knownTotal(source)
    let dim = 0
    const open = async (): Promise<NativeJob> => {
      const native = await this.#loaded.get()
      const info = native.info()
      dim = rowValues(Math.min(info.dim ?? 0, job.dimensions ?? Number.POSITIVE_INFINITY), job.dtype)
      const prompt = call.prompt ?? choosePrompt(this.#prompts, role, info)
      return unwrap(native.submit(prompt === undefined || prompt === '' ? job : { ...job, prompt }))
    }
    return new EmbeddingStream<DenseBatch<CD>, RowOf<CD, CE>>({
      source,
      open,
      decode(batch, inputErrors) {
        const decoded = denseFromNative<CD>(batch, inputErrors)
        if (!overflowChosen) warnOnceIfTruncated(decoded.truncated)
        return decoded
      },
      collector: () => new DenseMatrix<CD>({ dtype: job.dtype as CD, dim, rows: total ?? 0 }),
      collect: job.errors === 'collect',
      ...(signal !== undefined && { signal }),
      ...(onProgress !== undefined && { onProgress }),
      ...(total !== undefined && { total }),
    })
  }
}

/** Values of a row of so many dimensions. */
function rowValues(dimensions: number, dtype: DType): number {
  return dtype === 'binary' || dtype === 'ubinary' ? Math.ceil(dimensions / 8) : dimensions
}

/** The native options: what the user chose, over what the model's definition brings. */
function nativeOptions(located: LocatedModel, chosen: ParsedModel['model']): NativeModelOptions {
  const { dir, modelFile, settings } = located
  const { model, modelPath, cacheDir, localFilesOnly, lazyLoad, prompts, deviceIds, ...given } = chosen
  return {
    device: 'cpu',
    ...settings,
    ...given,
    dir,
    ...(modelFile !== undefined && { modelFile }),
    ...(deviceIds !== undefined && { deviceIds: [...deviceIds] }),
  }
}
