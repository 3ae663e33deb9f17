/** Counts the tokens of a source slice by slice, so that its length does not matter. No vectors are computed. */

import type { NativeModel } from './binding/types.js'
import { invalidItem, unwrap } from './errors.js'
import { type Checks, parseOptions, positiveInteger, string } from './options/check.js'
import { checkSource, openSource, type SourceReader, type TextSource } from './stream/source.js'

/** Options of `tokenCount`. */
export interface TokenCountOptions {
  /** Longest text in tokens. @default the model's limit */
  maxLength?: number | undefined
  /** Written before each text and counted. */
  prompt?: string | undefined
}

const checks: Checks<TokenCountOptions> = { maxLength: positiveInteger, prompt: string }

/** Texts of one native call: enough to occupy the tokenizer's threads, few beside any source worth counting. */
const CALL_TEXTS = 1024

/** Longest time of gathering them; a native call gives the event loop a turn, and a slow source waits for no one. */
const GATHER_MS = 4

/** The sum over all texts. */
export async function countTokens(
  model: () => Promise<NativeModel>,
  source: TextSource,
  options: unknown,
): Promise<number> {
  const { maxLength, prompt } = parseOptions<TokenCountOptions>('tokenCount', options, checks)
  checkSource(source)
  const native = await model()
  const reader = openSource(source)
  let total = 0
  let counted = 0
  try {
    for (let done = false; !done; ) {
      const gathered = await gather(reader, counted)
      done = gathered.done
      if (gathered.texts.length === 0) continue
      counted += gathered.texts.length
      const tokens = unwrap(await native.tokenCount(gathered.texts, maxLength, prompt))
      for (const count of tokens) total += count
    }
  } finally {
    await reader.stop()
  }
  return total
}

async function gather(reader: SourceReader, first: number): Promise<{ texts: string[]; done: boolean }> {
  const texts: string[] = []
  const end = performance.now() + GATHER_MS
  while (texts.length < CALL_TEXTS && performance.now() < end) {
    const slice = await reader.read(CALL_TEXTS - texts.length)
    for (const item of slice.items) {
      if (typeof item !== 'string') throw invalidItem(first + texts.length, item)
      texts.push(item)
    }
    if (slice.done) return { texts, done: true }
  }
  return { texts, done: false }
}
