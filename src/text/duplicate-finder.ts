/** Duplicates among texts that come some at a time. The work is in the addon, off the event loop. */

import { unwrap } from '../base/errors.js'
import { loadAddon } from '../binding/load.js'
import type { NativeDuplicateFinder } from '../binding/types.js'
import { type DuplicateOptions, parseDuplicateOptions } from '../options/prepare.js'
import type { DuplicateMark } from './prepare.js'
import { texts as checkTexts } from './texts.js'

/**
 * As `markDuplicates`, for texts that do not come all at once: the marks are those that all texts together would get. About 40 bytes
 * are kept of a text, and for near duplicates 8 bytes for each of its words.
 *
 * @example
 * const finder = new DuplicateFinder()
 * for await (const texts of slices) {
 *   const marks = await finder.add(texts)
 *   keep(texts.filter((_, i) => marks[i] === undefined))
 * }
 */
export class DuplicateFinder {
  readonly #native: NativeDuplicateFinder
  /** The call under way: texts are taken in the order of the calls. */
  #turn: Promise<unknown> = Promise.resolve()
  #length = 0

  /** Throws INVALID_OPTION. */
  constructor(options?: DuplicateOptions) {
    this.#native = loadAddon().addon.createDuplicateFinder(parseDuplicateOptions('DuplicateFinder', options))
  }

  /** Texts that were added. */
  get length(): number {
    return this.#length
  }

  /**
   * For each text whether it repeats an earlier one; a mark's `of` counts all texts so far, from 0.
   *
   * @throws MillraceError INPUT_INVALID for what is no array of texts.
   */
  async add(texts: readonly string[]): Promise<(DuplicateMark | undefined)[]> {
    const given = [...checkTexts(texts)]
    this.#length += given.length
    const added = this.#turn.then(() => this.#native.add(given))
    this.#turn = added.catch(() => {})
    const marks: (DuplicateMark | undefined)[] = given.map(() => undefined)
    for (const { index, ...mark } of unwrap(await added)) marks[index] = mark
    return marks
  }
}
