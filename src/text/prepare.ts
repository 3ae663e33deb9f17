/**
 * Preparing texts for an index: cleaning, languages, duplicates. All of it is done in the addon, off the event loop, and
 * without a model.
 */

import { invalidOption, unwrap } from '../base/errors.js'
import { loadAddon } from '../binding/load.js'
import type { NativeDuplicate } from '../binding/types.js'
import {
  type CleanOptions,
  type DuplicateOptions,
  type PrepareOptions,
  parseCleanOptions,
  parseDuplicateOptions,
  parsePrepareOptions,
} from '../options/prepare.js'
import { text as checkText, texts as checkTexts } from './texts.js'

/** The language that a text seems to be in. */
export interface DetectedLanguage {
  /** Code of ISO 639-3, such as `eng`. */
  code: string
  /** English name. */
  name: string
  /** English name of the script, such as `Latin`. */
  script: string
  /** From 0 to 1: how far ahead of the second best guess. */
  confidence: number
  /** Whether to trust the guess; rarely for fewer than about 20 letters. */
  reliable: boolean
}

/** Says that a text repeats an earlier one, which itself is no duplicate. */
export interface DuplicateMark {
  /** Index of the earlier text. */
  of: number
  /** From the threshold to 1. */
  similarity: number
  /** Whether the texts are equal, unit by unit. */
  exact: boolean
}

/** A text that `prepareTexts` left out. */
export type DroppedText =
  | { index: number; reason: 'too-short' | 'too-long' }
  | { index: number; reason: 'language'; language: string }
  | { index: number; reason: 'duplicate'; duplicate: DuplicateMark }

/** What `prepareTexts` found. */
export interface PreparedTexts {
  /** The cleaned texts that are kept, in order. */
  texts: string[]
  /** Index of each in the input. */
  indexes: number[]
  /** The others, in order. */
  dropped: DroppedText[]
}

/**
 * The text as models read it best: one spelling of each character, nothing invisible, no stray white space, no markup. Lone
 * surrogates become U+FFFD.
 *
 * @throws MillraceError INVALID_OPTION; INPUT_INVALID for what is no text.
 *
 * @example
 * await cleanText('\u201cIt\u2019s  \ufb01ne\u201d\u2026') // '"It\'s fine"...'
 * await cleanText('<p>Fish &amp; chips</p>', { format: 'html' }) // 'Fish & chips'
 */
export async function cleanText(text: string, options?: CleanOptions): Promise<string>
export async function cleanText(texts: readonly string[], options?: CleanOptions): Promise<string[]>
export async function cleanText(
  input: string | readonly string[],
  options?: CleanOptions,
): Promise<string | string[]> {
  const native = parseCleanOptions('cleanText', options)
  const single = !Array.isArray(input)
  const cleaned = unwrap(
    await loadAddon().addon.cleanTexts(single ? [checkText(input)] : checkTexts(input), native),
  )
  return single ? (cleaned[0] as string) : cleaned
}

/**
 * The language of a text, guessed from its first 4 KB out of about 70; `undefined` where there are no letters.
 *
 * @throws MillraceError INPUT_INVALID for what is no text.
 */
export async function detectLanguage(text: string): Promise<DetectedLanguage | undefined>
export async function detectLanguage(texts: readonly string[]): Promise<(DetectedLanguage | undefined)[]>
export async function detectLanguage(
  input: string | readonly string[],
): Promise<DetectedLanguage | undefined | (DetectedLanguage | undefined)[]> {
  const single = !Array.isArray(input)
  const found = unwrap(
    await loadAddon().addon.detectLanguages(single ? [checkText(input)] : checkTexts(input)),
  )
  const languages = found.map((language) => language ?? undefined)
  return single ? languages[0] : languages
}

/**
 * For each text whether it repeats an earlier one: exactly, or nearly. `undefined` marks a text to keep. Case and
 * punctuation make no difference to near duplicates. Clean the texts first if they come from several places.
 *
 * Of pairs at the threshold fewer than one in a thousand is missed, and fewer the more similar they are.
 *
 * @throws MillraceError INVALID_OPTION; INPUT_INVALID for what is no array of texts.
 *
 * @example
 * const marks = await markDuplicates(texts)
 * const unique = texts.filter((_, i) => marks[i] === undefined)
 */
export async function markDuplicates(
  texts: readonly string[],
  options?: DuplicateOptions,
): Promise<(DuplicateMark | undefined)[]> {
  const near = parseDuplicateOptions('markDuplicates', options)
  const marks: (DuplicateMark | undefined)[] = checkTexts(texts).map(() => undefined)
  const found: NativeDuplicate[] = unwrap(await loadAddon().addon.markDuplicates([...texts], near))
  for (const { index, ...mark } of found) marks[index] = mark
  return marks
}

/** Throws INVALID_OPTION for a language that cannot be detected. */
export function checkLanguages(languages: readonly string[]): void {
  const [unknown] = loadAddon().addon.undetectableLanguages([...languages])
  if (unknown === undefined) return
  throw invalidOption('languages', 'codes of ISO 639-3 of languages that can be detected', unknown)
}

/**
 * Cleans texts and leaves out those that are not worth an index: too short, too long, in another language, said before. Each
 * comes back or is in `dropped` with the reason.
 *
 * @throws MillraceError INVALID_OPTION, also for a language that cannot be detected; INPUT_INVALID for what is no array of texts.
 *
 * @example
 * const { texts, indexes } = await prepareTexts(pages, { clean: { format: 'html' }, minLength: 40, languages: ['eng'] })
 */
export async function prepareTexts(
  texts: readonly string[],
  options?: PrepareOptions,
): Promise<PreparedTexts> {
  const native = parsePrepareOptions('prepareTexts', options)
  checkLanguages(native.languages)
  const prepared = unwrap(await loadAddon().addon.prepareTexts(checkTexts(texts), native))
  const dropped = prepared.dropped.map(({ index, reason, language, duplicate }): DroppedText => {
    if (reason === 'language') return { index, reason, language: language ?? '' }
    if (reason !== 'duplicate' || duplicate === undefined) {
      return { index, reason: reason === 'too-long' ? reason : 'too-short' }
    }
    const { of, similarity, exact } = duplicate
    return { index, reason, duplicate: { of, similarity, exact } }
  })
  return { ...prepared, dropped }
}
