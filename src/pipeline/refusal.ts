/**
 * Why a store is not written to: it holds records that no journal knows of, or it is not what its journal says. The reason is one; the
 * options that help are called differently in TypeScript and on the command line, so a refusal can be told in both vocabularies.
 */

import { MillraceError } from '../base/errors.js'
import { brandOf, hasBrand, putBrand } from '../base/foreign.js'

/** How the options that a message names are written where the message is read. */
export interface OptionWords {
  /** Begins a store anew. */
  overwrite: string
  /** Names the journal's file. */
  journal: string
}

const API_WORDS: OptionWords = { overwrite: 'overwrite: true', journal: 'the option journal' }

const BRAND = brandOf('StoreRefusal')

/** A SINK_FAILED that can say what to do in other words. */
export class StoreRefusal extends MillraceError {
  /** The message, with the options called as `words` says. */
  readonly describe: (words: OptionWords) => string

  constructor(describe: (words: OptionWords) => string) {
    super('SINK_FAILED', describe(API_WORDS))
    this.describe = describe
    // For callers, not for those who print errors.
    Object.defineProperty(this, 'describe', { enumerable: false })
  }
}

putBrand(StoreRefusal, BRAND)

/** Whether the error is a {@link StoreRefusal}, of this copy of the package or another. */
export function isStoreRefusal(error: unknown): error is StoreRefusal {
  return hasBrand(error, BRAND)
}

/** The store has records and this run has no journal of them: writing would double or mix them. */
export function holdsUnknown(place: string): StoreRefusal {
  return new StoreRefusal(
    ({ overwrite, journal }) =>
      `${place} holds records already, and no journal says of which documents: choose another store, ` +
      `name the journal that it was written with (${journal}), or begin it anew with ${overwrite}`,
  )
}

/** The journal is there, the store is not. */
export function isGone(place: string): StoreRefusal {
  return new StoreRefusal(
    () =>
      `${place} is gone, but its journal is there and says which documents are in it: ` +
      'bring the store back, or delete the journal to index everything again',
  )
}

/** The store is there, but it is not what its journal says; `why` completes "the store". */
export function hasChanged(place: string, why: string): StoreRefusal {
  return new StoreRefusal(
    ({ overwrite }) =>
      `${place} is not what its journal says: ${why}. Bring back the store that belongs to the journal, ` +
      `or delete the journal and begin the store anew with ${overwrite}`,
  )
}
