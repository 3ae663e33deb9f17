/** Carries out a plan: opens the outputs, runs the family's model over the input, commits, reports. */

import { systemInfo } from '../../../index.js'
import { EXIT } from '../exit.js'
import { denseDim } from '../families/dense.js'
import type { EmbedFlags, Output } from '../families/family.js'
import { Outputs } from '../output/outputs.js'
import { type RunFacts, runJob } from '../running/run.js'
import { workLines, workSummary } from '../running/summary.js'
import { print, say } from '../terminal.js'
import type { EmbedPlan } from './plan.js'

/** Embeds and writes. Returns the exit code. */
export async function runEmbed(plan: EmbedPlan, flags: EmbedFlags, signal: AbortSignal): Promise<number> {
  const { family, items } = plan
  const quiet = flags.quiet === true
  if (plan.inferred && !quiet)
    say(`millrace: ${flags.model} makes ${family.vectors} vectors: --family ${plan.familyName}`)
  const outputs = new Outputs(signal)
  try {
    const output = await openOutput(plan, outputs)
    const facts = await runJob(
      {
        load: (loading) => family.load(flags, plan.role, loading),
        input: plan.input,
        limit: flags.limit,
        writer: (info) => family.writer(output, flags, info),
        errors: flags.errors,
        batchSize: flags.batchSize ?? family.batchRows,
        unit: items,
        quiet,
      },
      signal,
    )
    await outputs.commit()
    if (flags.json === true) await print(`${JSON.stringify(summaryOf(plan, flags, facts))}\n`)
    else if (!quiet) for (const line of workLines(facts, items, plan)) say(line)
    return facts.errors > 0 ? EXIT.rowsFailed : EXIT.ok
  } finally {
    await outputs.discard()
  }
}

async function openOutput({ output, format, scales }: EmbedPlan, outputs: Outputs): Promise<Output> {
  return {
    to: await outputs.open(output, format === 'npy'),
    format,
    ...(scales !== undefined && { scales: await outputs.open(scales, true) }),
    scratch: (name) => outputs.scratch(output, name),
  }
}

/** The keys of `--json`. */
function summaryOf(plan: EmbedPlan, flags: EmbedFlags, facts: RunFacts): object {
  const { familyName, items, output, format, scales } = plan
  return {
    model: facts.model,
    family: familyName,
    // Values of a vector, after `--dimensions`; packed formats hold eight in a byte.
    ...(familyName !== 'sparse' && { dim: denseDim(flags, facts.info) }),
    dtype: flags.dtype ?? 'float32',
    ...workSummary(facts, items),
    peakRss: systemInfo().peakRss,
    output,
    format,
    ...(scales !== undefined && { scales }),
  }
}
