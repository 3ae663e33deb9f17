/** Which documents repeat earlier ones of the same run. What a duplicate is: `../text/duplicate-finder.ts`. */

import { DuplicateFinder } from '../text/duplicate-finder.js'

/** Texts in their order, some at a time. */
export class Duplicates {
  readonly #finder: DuplicateFinder

  /** `near`: least similarity, or `false` for equal texts only. */
  constructor(near: number | false) {
    this.#finder = new DuplicateFinder({ near })
  }

  /** For each text whether it repeats one before it, of this call or an earlier one. */
  async mark(texts: readonly string[]): Promise<boolean[]> {
    return (await this.#finder.add(texts)).map((mark) => mark !== undefined)
  }
}
