/** Carries out a plan of `millrace rerank`: opens the output, runs the cross encoder over the input, commits, reports. */

import { systemInfo } from '../../../index.js'
import { EXIT } from '../exit.js'
import { type Destination, STDOUT } from '../output/destination.js'
import { Outputs } from '../output/outputs.js'
import { runJob } from '../running/run.js'
import { workLines, workSummary } from '../running/summary.js'
import { print, say, textWidth } from '../terminal.js'
import type { RerankFlags, RerankPlan } from './plan.js'
import { BestWriter, InOrderWriter, jsonLine, LEFT_COLUMNS, plainLine } from './writers.js'

/** Pairs of a batch on the way to the output: scores are small, but someone may wait for the first ones. */
const BATCH_ROWS = 16

/** Scores and writes. Returns the exit code. */
export async function runRerank(plan: RerankPlan, flags: RerankFlags, signal: AbortSignal): Promise<number> {
  const { unit, output } = plan
  const quiet = flags.quiet === true
  const outputs = new Outputs(signal)
  try {
    const to = await outputs.open(output, false)
    const facts = await runJob(
      {
        load: plan.load,
        input: plan.input,
        limit: flags.limit,
        writer: async () => writerFor(plan, flags, to),
        errors: flags.errors,
        batchSize: BATCH_ROWS,
        unit,
        quiet,
      },
      signal,
    )
    await outputs.commit()
    if (flags.json === true && output !== STDOUT) {
      const { peakRss } = systemInfo()
      await print(`${JSON.stringify({ model: facts.model, ...workSummary(facts, unit), peakRss, output })}\n`)
    } else if (!quiet) for (const line of workLines(facts, unit, plan)) say(line)
    return facts.errors > 0 ? EXIT.rowsFailed : EXIT.ok
  } finally {
    await outputs.discard()
  }
}

function writerFor({ isJson }: RerankPlan, { topN }: RerankFlags, to: Destination) {
  const line = isJson ? jsonLine : plainLine(textWidth(process.stdout, LEFT_COLUMNS))
  return topN === undefined ? new InOrderWriter(to, line) : new BestWriter(to, line, topN)
}
