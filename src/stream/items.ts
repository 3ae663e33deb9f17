/** The kinds of item a source may hold: how each crosses to the native side. Images are in `image-items.ts`; reading sources is in `source.ts`. */

import { MillraceError, unwrap } from '../base/errors.js'
import { reasonOf, textOf } from '../base/foreign.js'
import { describeValue } from '../base/is.js'
import type { NativeJob } from '../binding/types.js'

/** A kind of item; `N` is what the addon takes. */
export interface ItemKind<N> {
  /** What an item must be, for the sentence of an error. */
  readonly expected: string
  /** Stands in for an item that is none, so that positions hold. */
  readonly placeholder: N
  /** Whether a source is one item rather than many. */
  isOne(source: unknown): boolean
  /** The item as the addon takes it; `undefined` for one that is not of the kind. */
  encode(item: unknown): N | undefined
  /** Items that must be read before they can be encoded, such as a `Blob`. */
  readonly reading?: ItemReading
  /** What to do instead, for an item that is often given and cannot be taken. */
  remedy?(item: unknown): string | undefined
  /** What to do with a stream of Node whose chunks are pieces of a file and no items. */
  readonly streamRemedy: string
  /** Puts items into a job; how many more it takes now. */
  push(job: NativeJob, items: N[]): number
}

/** How items are read first. */
export interface ItemReading {
  /** Whether this item must be. */
  isNeeded(item: unknown): boolean
  /** What is encoded in its place. */
  read(item: unknown): Promise<unknown>
}

const LINES = 'read it line by line with createInterface({ input: stream }) of node:readline'

/** Texts: strings. */
export const texts: ItemKind<string> = {
  expected: 'string',
  placeholder: '',
  // `new String('…')` too, which helpers for templates make: it could be iterated, as its letters.
  isOne: (source) => textOf(source) !== undefined,
  encode: textOf,
  streamRemedy: LINES,
  push: (job, items) => unwrap(job.push(items)),
}

/** A query and the document that is judged by it. */
export type TextPair = readonly [query: string, document: string]

/** Pairs of texts. */
export const pairs: ItemKind<TextPair> = {
  expected: 'pair of strings [query, document]',
  placeholder: ['', ''],
  isOne: () => false,
  encode(item) {
    if (!Array.isArray(item) || item.length !== 2) return undefined
    const [query, document] = item.map(textOf)
    return query === undefined || document === undefined ? undefined : [query, document]
  },
  streamRemedy: LINES,
  push: (job, items) =>
    unwrap(
      job.pushPairs(
        items.map(([query]) => query),
        items.map(([, document]) => document),
      ),
    ),
}

/** Documents of one query. */
export function documentsOf(query: string): ItemKind<string> {
  return {
    ...texts,
    push: (job, items) =>
      unwrap(
        job.pushPairs(
          items.map(() => query),
          items,
        ),
      ),
  }
}

/** An item that could not be read, in its place among those that were. */
class UnreadItem {
  readonly item: unknown
  readonly cause: unknown

  constructor(item: unknown, cause: unknown) {
    this.item = item
    this.cause = cause
  }
}

/** Whether some of the items must be read before they can be encoded. */
export function mustBeRead(kind: ItemKind<unknown>, items: readonly unknown[]): boolean {
  const { reading } = kind
  return reading !== undefined && items.some((item) => reading.isNeeded(item))
}

/** Reads the items that must be read, one after the other, so that no more than one lies in memory unasked. Never rejects. */
export async function readItems(kind: ItemKind<unknown>, items: readonly unknown[]): Promise<unknown[]> {
  const read: unknown[] = []
  for (const item of items) {
    const needed = kind.reading?.isNeeded(item) === true
    read.push(
      needed ? await kind.reading?.read(item).catch((cause: unknown) => new UnreadItem(item, cause)) : item,
    )
  }
  return read
}

/** The item as the addon takes it, or the INPUT_INVALID that says why it cannot be taken. `place` is what the error calls it. */
export function encodeItem<N>(
  kind: ItemKind<N>,
  item: unknown,
  place: string,
  index?: number,
): { encoded: N } | { error: MillraceError } {
  let why: string | undefined
  let details: { cause?: unknown } = {}
  try {
    if (item instanceof UnreadItem) throw item.cause
    const encoded = kind.encode(item)
    if (encoded !== undefined) return { encoded }
    why = kind.remedy?.(item)
  } catch (cause) {
    // A buffer that was transferred, a getter that throws: this item alone is at fault, and must not end a stream that collects errors.
    why = `it cannot be read: ${reasonOf(cause)}`
    details = { cause }
  }
  const given = item instanceof UnreadItem ? item.item : item
  const message = `Expected ${kind.expected} for ${place} but received ${describeValue(given)}`
  const whole = why === undefined ? message : `${message}; ${why}`
  return { error: new MillraceError('INPUT_INVALID', whole, { index, ...details }) }
}

/** How an error calls an item. */
export function placeOf(index: number): string {
  return `item ${index} of the source`
}
