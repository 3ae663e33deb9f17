/** Counts the tokens of a source slice by slice, so that its length does not matter. Nothing is embedded. */

import { unwrap } from '../base/errors.js'
import type { NativeError, NativeModel } from '../binding/types.js'
import { boolean, type Checks, parseOptions, positiveInteger, string } from '../options/check.js'
import { encodeItem, type ItemKind, placeOf, type TextPair, texts } from '../stream/items.js'
import { checkSource, openSource, type SourceReader, type TextSource } from '../stream/source.js'

/** Options of `tokenCount`. */
export interface TokenCountOptions {
  /** Longest text in tokens. @default the model's limit */
  maxLength?: number | undefined
  /** Written before each text and counted. */
  prompt?: string | undefined
}

/** Options of `tokenCount` of late-interaction models. */
export interface LateTokenCountOptions {
  /** Longest text in tokens. @default the model's limit */
  maxLength?: number | undefined
  /** Whether the texts are documents; else they are queries. @default true */
  isDoc?: boolean | undefined
  /** Count also what the model adds to a text: markers, and what fills up a short query. @default false */
  includeExtension?: boolean | undefined
}

const checks: Checks<TokenCountOptions> = { maxLength: positiveInteger, prompt: string }

const lateChecks: Checks<LateTokenCountOptions> = {
  maxLength: positiveInteger,
  isDoc: boolean,
  includeExtension: boolean,
}

/** Items of one native call: enough to occupy the tokenizer's threads, few beside any source worth counting. */
const CALL_ITEMS = 1024

/** Longest time of gathering them; a native call gives the event loop a turn, and a slow source waits for no one. */
const GATHER_MS = 4

type Model = () => Promise<NativeModel>

/** Counts a slice's tokens natively. */
type CountSlice<N> = (native: NativeModel, items: N[]) => Promise<Uint32Array | NativeError>

/** The sum over all texts. */
export async function countTokens(model: Model, source: TextSource, options: unknown): Promise<number> {
  const { maxLength, prompt } = parseOptions<TokenCountOptions>('tokenCount', options, checks)
  const native = {
    ...(maxLength !== undefined && { maxLength }),
    ...(prompt !== undefined && { prompt }),
  }
  return count(model, source, texts, (loaded, items) => loaded.countTokens(items, native))
}

/** The sum over all texts of a late-interaction model. */
export async function countLateTokens(model: Model, source: TextSource, options: unknown): Promise<number> {
  const { maxLength, isDoc, includeExtension } = parseOptions<LateTokenCountOptions>(
    'tokenCount',
    options,
    lateChecks,
  )
  const native = {
    role: isDoc === false ? ('query' as const) : ('document' as const),
    ...(maxLength !== undefined && { maxLength }),
    ...(includeExtension !== undefined && { includeExtension }),
  }
  return count(model, source, texts, (loaded, items) => loaded.countTokens(items, native))
}

/** The sum over all pairs. */
export async function countPairTokens(
  model: Model,
  source: unknown,
  kind: ItemKind<TextPair>,
  options: unknown,
): Promise<number> {
  const { maxLength } = parseOptions<{ maxLength?: number | undefined }>('tokenCount', options, {
    maxLength: positiveInteger,
  })
  const native = maxLength === undefined ? {} : { maxLength }
  return count(model, source, kind, (loaded, items) =>
    loaded.countPairTokens(
      items.map(([query]) => query),
      items.map(([, document]) => document),
      native,
    ),
  )
}

async function count<N>(
  model: Model,
  source: unknown,
  kind: ItemKind<N>,
  slice: CountSlice<N>,
): Promise<number> {
  checkSource(source, kind)
  const native = await model()
  const reader = openSource(source, kind)
  let total = 0
  let counted = 0
  try {
    for (let done = false; !done; ) {
      const gathered = await gather(reader, kind, counted)
      done = gathered.done
      if (gathered.items.length === 0) continue
      counted += gathered.items.length
      for (const tokens of unwrap(await slice(native, gathered.items))) total += tokens
    }
  } finally {
    await reader.stop()
  }
  return total
}

async function gather<N>(
  reader: SourceReader,
  kind: ItemKind<N>,
  first: number,
): Promise<{ items: N[]; done: boolean }> {
  const items: N[] = []
  const end = performance.now() + GATHER_MS
  while (items.length < CALL_ITEMS && performance.now() < end) {
    const slice = await reader.read(CALL_ITEMS - items.length)
    for (const item of slice.items) {
      const index = first + items.length
      const one = encodeItem(kind, item, placeOf(index), index)
      if ('error' in one) throw one.error
      items.push(one.encoded)
    }
    if (slice.done) return { items, done: true }
  }
  return { items, done: false }
}
