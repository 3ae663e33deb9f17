/** Which documents repeat earlier ones of the same run. */

import type { NativeAddon } from '../binding/types.js'
import { invalidOption } from '../errors.js'
import { DocumentTable, shortName } from './journal/document-table.js'

/** Texts in their order, some at a time. */
export interface Duplicates {
  /** For each text whether it repeats one before it, of this call or an earlier one. */
  mark(texts: readonly string[]): Promise<boolean[]>
}

/**
 * What looks for duplicates of one run.
 *
 * @throws MillraceError INVALID_OPTION for near ones: nothing here finds them yet among texts that come bit by bit, and finding equal
 * ones only would keep what the caller wants left out.
 */
export function duplicatesOf(
  { near }: { near: number | false },
  addon: Pick<NativeAddon, 'nameTexts'>,
): Duplicates {
  if (near !== false) throw invalidOption('duplicates', "'exact' or false", 'near')
  return new ExactDuplicates(addon)
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
