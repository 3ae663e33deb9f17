/** What a finished run was, for people and for programs. */

import { count, percent } from '../terminal.js'
import type { RunFacts } from './run.js'

/** What rows are called. */
export type Unit = 'texts' | 'images' | 'documents' | 'pairs'

/** Where a run wrote, and from what. */
export interface Written {
  /** Path, or `-`. */
  output: string
  /** Path of the rows' scales, for int8 and uint8 in .npy. */
  scales?: string
}

/** What the work is in `--json`. Rows are counted under the name of what they are: `texts` and `textsPerSecond`, say. */
export function workSummary(facts: RunFacts, unit: Unit): Record<string, number> {
  const { rows, tokens, truncated, errors, paddingShare, seconds, loadSeconds } = facts
  return {
    [unit]: rows,
    // Tokens are those of texts, special tokens and prompt included, padding not.
    ...(unit !== 'images' && { tokens, truncated }),
    errors,
    [`${unit}PerSecond`]: rounded(rows / seconds, 1),
    ...(unit !== 'images' && {
      tokensPerSecond: rounded(tokens / seconds, 1),
      paddingShare: rounded(paddingShare, 4),
    }),
    seconds: rounded(seconds, 3),
    loadSeconds: rounded(loadSeconds, 3),
  }
}

/** What is measured is not exact to more places. */
function rounded(value: number, places: number): number {
  return Number(value.toFixed(places))
}

/** The work in a line or two. */
export function workLines(facts: RunFacts, unit: Unit, { output, scales }: Written): string[] {
  const { rows, tokens, truncated, errors, paddingShare, seconds } = facts
  const rates = [`${count(rows / seconds)} ${unit}/s`]
  if (unit !== 'images') rates.push(`${count(tokens / seconds)} tokens/s`, `${percent(paddingShare)} padding`)
  const lines = [`${count(rows)} ${unit} in ${seconds.toFixed(1)} s: ${rates.join(', ')}`]
  if (truncated > 0) lines.push(`${count(truncated)} ${unit} were longer than the model takes and were cut`)
  if (errors > 0) lines.push(`${count(errors)} rows failed`)
  if (output !== '-') lines.push(`wrote ${[output, scales].filter(Boolean).join(' and ')}`)
  return lines
}
