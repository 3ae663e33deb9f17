/** The public class that cuts texts to a model's measure. Only the model's tokenizer is loaded; the work is in the addon. */

import { MillraceError, unwrap } from '../base/errors.js'
import { loadAddon } from '../binding/load.js'
import type { NativeChunker, NativeChunkerOptions, NativeChunks } from '../binding/types.js'
import { locateModel, nativeOptions } from '../models/locate.js'
import { DEFAULT_TEXT_MODEL, textModels } from '../models/registries.js'
import type { Checks } from '../options/check.js'
import {
  nonEmptyString,
  nonNegativeInteger,
  oneOf,
  parseOptions,
  positiveInteger,
  string,
} from '../options/check.js'
import { directory } from '../options/model.js'
import { text as checkText, texts as checkTexts } from './texts.js'

/** Options of `TextChunker.create`. */
export interface TextChunkerOptions {
  /** Name of a text model, whose tokenizer counts; its files are downloaded where they are not there. @default the bundled all-MiniLM-L6-v2 */
  model?: string | undefined
  /** Directory of a model's files (path or `file:` URL); `tokenizer.json` and its configuration are enough. */
  modelPath?: string | URL | undefined
  /**
   * Where texts are cut. `sentence`: between sentences, in one only where it does not fit. `markdown`: always before headings, then
   * between blocks, then as by sentence. `tokens`: wherever the budget ends. @default 'sentence'
   */
  by?: 'sentence' | 'markdown' | 'tokens' | undefined
  /** Most tokens of a chunk, special tokens and `prefix` included. @default the model's limit */
  maxTokens?: number | undefined
  /** Most tokens that a chunk begins with of the one before it: whole sentences where they fit, else words. @default 0 */
  overlap?: number | undefined
  /** What will be written before each chunk when it is embedded, such as the model's passage prompt. Counted, not added. */
  prefix?: string | undefined
}

/** A part of a text. */
export interface TextChunk {
  /** `text.slice(start, end)` of the whole text. */
  text: string
  /** Position of its first UTF-16 code unit. */
  start: number
  /** Position after its last UTF-16 code unit. */
  end: number
  /** Its tokens when it is embedded, special tokens and `prefix` included. */
  tokens: number
  /** Headings it stands under, outermost first; empty unless cut by `markdown`. */
  headings: string[]
}

const checks: Checks<TextChunkerOptions> = {
  model: nonEmptyString,
  modelPath: directory,
  by: oneOf('sentence', 'markdown', 'tokens'),
  maxTokens: positiveInteger,
  overlap: nonNegativeInteger,
  prefix: string,
}

/**
 * Cuts texts into chunks that a model takes whole, counted by the model's own tokenizer. Works off the event loop.
 *
 * Without overlap the chunks of a text, put together, are the text. No chunk begins or ends inside a surrogate pair, nor
 * inside what readers see as one character, unless that alone is too long. Sentences are Unicode's, with the common abbreviations of English, German, French and
 * Spanish; of scripts that mark no ends of sentences (Thai, Lao, Khmer, Burmese) they are not known.
 *
 * @example
 * const chunker = await TextChunker.create({ maxTokens: 200, overlap: 20 })
 * const chunks = await chunker.chunk(text)
 * const vectors = await model.passageEmbed(chunks.map((chunk) => chunk.text)).toArray()
 */
export class TextChunker {
  /** Most tokens of a chunk. */
  readonly maxTokens: number
  readonly #native: NativeChunker

  private constructor(native: NativeChunker) {
    this.#native = native
    this.maxTokens = native.maxTokens()
  }

  /**
   * Loads the tokenizer of a model.
   *
   * @throws MillraceError INVALID_OPTION, also where the model's limit, special tokens, `prefix` and `overlap` leave no room;
   * MODEL_NOT_FOUND, MODEL_INVALID; for a model of the hub what downloading finds.
   */
  static async create(options?: TextChunkerOptions): Promise<TextChunker> {
    const checked = parseOptions<TextChunkerOptions>('TextChunker.create', options, checks)
    const { model, modelPath, by = 'sentence', maxTokens, overlap = 0, prefix = '' } = checked
    const chosen = {
      ...(model !== undefined && { model }),
      ...(modelPath !== undefined && { modelPath: String(modelPath) }),
    }
    const located = locateModel(textModels, chosen, DEFAULT_TEXT_MODEL)
    const { dir } = await nativeOptions('dense', located, chosen, new AbortController().signal)
    if (dir === undefined) {
      throw new MillraceError('MODEL_NOT_FOUND', `The model ${located.name} has no tokenizer of its own`)
    }
    return TextChunker.open({ dir, by, overlap, prefix, ...(maxTokens !== undefined && { maxTokens }) })
  }

  /** @internal A chunker over a directory that is known. */
  static async open(options: NativeChunkerOptions): Promise<TextChunker> {
    return new TextChunker(unwrap(await loadAddon().addon.createChunker(options)))
  }

  /**
   * The chunks of a text, in order; of an empty one, none. A chunk has more than `maxTokens` tokens only where a single character
   * takes more, or where there is room for so few that one token of a word, read without the word, takes more.
   *
   * @throws MillraceError INPUT_INVALID for what is no text, MODEL_INVALID where the tokenizer cannot read it.
   */
  async chunk(text: string): Promise<TextChunk[]> {
    const [chunks] = unwrap(await this.#native.chunk([checkText(text)]))
    return chunks === undefined ? [] : cut(text, chunks)
  }

  /** The chunks of each text, in order. Throws as `chunk`, with the index of the text. */
  async chunkBatch(texts: readonly string[]): Promise<TextChunk[][]> {
    const all = unwrap(await this.#native.chunk(checkTexts(texts)))
    return all.map((chunks, i) => cut(texts[i] as string, chunks))
  }
}

function cut(text: string, { spans, pathOf, paths }: NativeChunks): TextChunk[] {
  return Array.from(pathOf, (path, i) => {
    const [start = 0, end = 0, tokens = 0] = spans.subarray(3 * i, 3 * i + 3)
    return { text: text.slice(start, end), start, end, tokens, headings: [...(paths[path] ?? [])] }
  })
}
