/** Options of preparing texts, checked. What cleaning and marking mean is in the addon. */

import { invalidOption } from '../base/errors.js'
import type { NativeCleanOptions } from '../binding/types.js'
import {
  boolean,
  type Check,
  type Checks,
  MAX_COUNT,
  nonNegativeInteger,
  oneOf,
  parseOptions,
} from './check.js'

/** What of a text is cleaned. Cleaning a cleaned text again changes nothing, unless it had markup. */
export interface CleanOptions {
  /** What the text comes in; the markup of HTML and Markdown is taken away first. @default 'text' */
  format?: 'text' | 'html' | 'markdown' | undefined
  /** Unicode's normal form; NFKC also makes the same what looks alike (full-width letters, superscripts). @default 'NFC' */
  normalization?: 'NFC' | 'NFKC' | 'none' | undefined
  /** Whether curly quotes, dashes, ellipses, ligatures and special spaces become plain ASCII. @default true */
  typography?: boolean | undefined
  /**
   * Whether control and invisible characters go, except joiners and selectors that shape the letters or emoji around them.
   * @default true
   */
  invisible?: boolean | undefined
  /**
   * `lines`: one space between words, at most one empty line between lines. `collapse`: one space between words, no lines. `keep`:
   * as it is, for code. @default 'lines'
   */
  whitespace?: 'lines' | 'collapse' | 'keep' | undefined
}

/** How duplicates are found. */
export interface DuplicateOptions {
  /**
   * Least similarity of near duplicates, above 0 and up to 1: the share of triples of neighbouring words that both texts have.
   * `false` looks for equal texts only. @default 0.8
   */
  near?: number | false | undefined
}

/** Which texts are kept, after cleaning. */
export interface PrepareOptions {
  /** How texts are cleaned. @default everything but markup */
  clean?: CleanOptions | undefined
  /** Least length of a cleaned text, in UTF-16 code units as `string.length`. @default 1 */
  minLength?: number | undefined
  /** Greatest length of a cleaned text, in UTF-16 code units. @default no bound */
  maxLength?: number | undefined
  /** Codes of ISO 639-3 (`eng`): texts reliably in another language are dropped. @default all are kept */
  languages?: readonly string[] | undefined
  /** Whether duplicates are dropped, and how they are found. @default near duplicates too */
  duplicates?: boolean | DuplicateOptions | undefined
}

/** From about one word changed in twelve on, texts are no near duplicates. */
const NEAR_DUPLICATE = 0.8

const similarity: Check<number | false> = (name, value) => {
  if (value === false) return value
  if (typeof value !== 'number' || !(value > 0 && value <= 1)) {
    throw invalidOption(name, 'number above 0 and up to 1, or false', value)
  }
  return value
}

export const cleanChecks: Checks<CleanOptions> = {
  format: oneOf('text', 'html', 'markdown'),
  normalization: oneOf('NFC', 'NFKC', 'none'),
  typography: boolean,
  invisible: boolean,
  whitespace: oneOf('lines', 'collapse', 'keep'),
}

const duplicateChecks: Checks<DuplicateOptions> = { near: similarity }

export const languages: Check<readonly string[]> = (name, value) => {
  if (!Array.isArray(value) || value.length === 0 || value.some((code) => typeof code !== 'string')) {
    throw invalidOption(name, 'non-empty array of strings', value)
  }
  return value
}

const prepareChecks: Checks<PrepareOptions> = {
  clean: (name, value) => parseOptions<CleanOptions>(`prepareTexts, ${name}`, value, cleanChecks),
  minLength: nonNegativeInteger,
  maxLength: nonNegativeInteger,
  languages,
  duplicates: (name, value) =>
    typeof value === 'boolean'
      ? value
      : parseOptions<DuplicateOptions>(`prepareTexts, ${name}`, value, duplicateChecks),
}

/** The addon's options of cleaning. */
export function parseCleanOptions(where: string, options: unknown): NativeCleanOptions {
  const { normalization = 'NFC', ...given } = parseOptions<CleanOptions>(where, options, cleanChecks)
  return {
    format: 'text',
    typography: true,
    invisible: true,
    whitespace: 'lines',
    ...given,
    ...(normalization !== 'none' && { normalization }),
  }
}

/** The least similarity; nothing where only equal texts count. */
export function parseDuplicateOptions(where: string, options: unknown): number | undefined {
  const { near = NEAR_DUPLICATE } = parseOptions<DuplicateOptions>(where, options, duplicateChecks)
  return near === false ? undefined : near
}

/** The options of `prepareTexts`, with the addon's of cleaning. */
export function parsePrepareOptions(where: string, options: unknown) {
  const { clean, minLength, maxLength, languages, duplicates } = parseOptions<PrepareOptions>(
    where,
    options,
    prepareChecks,
  )
  const wanted = typeof duplicates === 'boolean' ? duplicates : true
  const near = wanted
    ? parseDuplicateOptions(`${where}, duplicates`, typeof duplicates === 'boolean' ? undefined : duplicates)
    : undefined
  return {
    clean: parseCleanOptions(`${where}, clean`, clean),
    minLength: minLength ?? 1,
    maxLength: maxLength ?? MAX_COUNT,
    languages: [...(languages ?? [])],
    duplicates: wanted,
    ...(near !== undefined && { near }),
  }
}
