/** What a finished run was, for people and for programs. */

import { count, percent } from '../terminal.js'

/** The keys of `--json`. */
export interface EmbedSummary {
  model: string
  /** Values of a vector, after `--dimensions`; packed formats hold eight in a byte. */
  dim: number
  dtype: string
  texts: number
  /** Tokens of the texts, special tokens and prompt included, padding not. */
  tokens: number
  textsPerSecond: number
  tokensPerSecond: number
  /** Padding in the computed tokens, 0 to 1. */
  paddingShare: number
  /** Texts that were cut at the limit. */
  truncated: number
  /** Rows that failed. */
  errors: number
  /** From the first read to the last write; loading is apart. */
  seconds: number
  loadSeconds: number
  /** Bytes. */
  peakRss: number
  /** Path, or `-`. */
  output: string
  format: string
  /** Path of the rows' scales, for int8 and uint8 in .npy. */
  scales?: string
}

/** The same in a line or two. */
export function summaryLines(summary: EmbedSummary): string[] {
  const { texts, seconds, textsPerSecond, tokensPerSecond, paddingShare, truncated, errors, output } = summary
  const lines = [
    `${count(texts)} texts in ${seconds.toFixed(1)} s: ${count(textsPerSecond)} texts/s, ` +
      `${count(tokensPerSecond)} tokens/s, ${percent(paddingShare)} padding`,
  ]
  if (truncated > 0) lines.push(`${count(truncated)} texts were longer than the model takes and were cut`)
  if (errors > 0) lines.push(`${count(errors)} rows failed`)
  if (output !== '-') lines.push(`wrote ${[output, summary.scales].filter(Boolean).join(' and ')}`)
  return lines
}
