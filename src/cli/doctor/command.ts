/** The command `millrace doctor`: runs the checks and shows them. */

import type { Command } from 'commander'
import { EXIT } from '../exit.js'
import { painter, print } from '../terminal.js'
import type { Check, Status } from './check.js'
import { machineChecks } from './machine.js'
import { modelFileCheck } from './model-file.js'
import { runtimeChecks } from './runtime.js'
import { selfTest } from './self-test.js'

const COLOUR = { ok: 'green', warn: 'yellow', fail: 'red' } as const satisfies Record<Status, string>

/** Columns of the status and name, so that the details stand in a line. */
const NAME_COLUMNS = 12

/** Adds the command; `ended` gets its exit code. */
export function doctorCommand(program: Command, ended: (exitCode: number) => void): void {
  program
    .command('doctor')
    .description('Check this machine, the installation and the bundled model.')
    .option('--json', 'Print JSON.')
    .addHelpText(
      'after',
      '\nThe command prints a line for each check: ok, warn or fail, and a remedy where there is one. The exit code is 1 if a check fails.\n\nExample:\n  millrace doctor --json',
    )
    .action(async ({ json }: { json?: boolean }) => {
      ended(await doctor(json === true))
    })
}

async function doctor(json: boolean): Promise<number> {
  const checks: Check[] = []
  const add = async (found: Check[]) => {
    checks.push(...found)
    if (!json) for (const check of found) await print(lines(check))
  }
  const ok = () => checks.every(({ status }) => status !== 'fail')
  await add(machineChecks())
  await add(modelFileCheck())
  await add(await runtimeChecks())
  // Without one of the above it could only fail again.
  if (ok()) await add(await selfTest())
  if (json) await print(`${JSON.stringify({ ok: ok(), checks }, undefined, 2)}\n`)
  return ok() ? EXIT.ok : EXIT.failure
}

function lines({ name, status, detail, remedy }: Check): string {
  const paint = painter(process.stdout)
  const indent = ' '.repeat(NAME_COLUMNS + 7)
  const text = detail.replaceAll('\n', `\n${indent}`)
  const line = `${paint(COLOUR[status], status.padEnd(4))}  ${name.padEnd(NAME_COLUMNS)} ${text}\n`
  return remedy === undefined ? line : `${line}${indent}→ ${remedy}\n`
}
