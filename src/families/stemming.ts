/** For a model that stems with a caller's own function: the stems of new words are told before the texts go in. */

import { MillraceError } from '../base/errors.js'
import { describeValue } from '../base/is.js'
import type { NativeModel } from '../binding/types.js'

/** The stem of a word in lower case; `''` drops it. */
export type Stemmer = (word: string) => string

/** Tells the model the stems of words that it sees the first time. */
export function learnStems(model: NativeModel, items: string[], stemmer: Stemmer): void {
  const words = model.unknownWords(items)
  if (words.length === 0) return
  const stems = words.map((word) => {
    const stem: unknown = stemmer(word)
    if (typeof stem === 'string') return stem
    throw new MillraceError(
      'INVALID_OPTION',
      `Expected string from stemmer for '${word}' but received ${describeValue(stem)}`,
    )
  })
  model.learnStems(words, stems)
}
