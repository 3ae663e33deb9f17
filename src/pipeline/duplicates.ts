/** Which documents repeat earlier ones of the same run. */

import type { NativeAddon } from '../binding/types.js'
import { DocumentTable, shortName } from './journal/document-table.js'

/** Texts in their order, some at a time. */
export interface Duplicates {
  /** For each text whether it repeats one before it, of this call or an earlier one. */
  mark(texts: readonly string[]): Promise<boolean[]>
}

/** Equal texts: 128 bits of each are kept. */
export class ExactDuplicates implements Duplicates {
  readonly #addon: Pick<NativeAddon, 'nameTexts'>
  readonly #seen = new DocumentTable()

  constructor(addon: Pick<NativeAddon, 'nameTexts'>) {
    this.#addon = addon
  }

  async mark(texts: readonly string[]): Promise<boolean[]> {
    const names = this.#addon.nameTexts('millrace duplicates 1', [...texts])
    return names.map((name) => !this.#seen.see(shortName(name)))
  }
}
