/**
 * Runs the benchmarks: criterion's (`cargo bench`) by default, millrace beside its rivals with `--rivals`. Other
 * arguments go to the benchmark itself.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, run, SetupError, script } from './lib/run.mjs'
import { cargoEnvironment } from './lib/steps.mjs'

const RIVALS = join(ROOT, 'benches', 'rivals', 'run.mjs')

await script('bench', (args) => {
  const rest = args.filter((arg) => arg !== '--rivals')
  const rivals = rest.length < args.length
  if (rivals && !existsSync(RIVALS)) throw new SetupError(`${RIVALS} is missing`)
  const cargo = ['cargo', 'bench', '-p', 'millrace-benches', ...(rest.length > 0 ? ['--', ...rest] : [])]
  process.exitCode = run(rivals ? [process.execPath, RIVALS, ...rest] : cargo, { env: cargoEnvironment() })
})
