/** The command `models` as a program of its own, with the errors and exit codes of the whole command line. */

import { Command } from 'commander'

const dist = (path) => import(new URL(`../../../dist/esm/src/${path}`, import.meta.url).href)
const { modelsCommand } = await dist('cli/models/command.js')
const { errorText, exitCodeOf } = await dist('cli/exit.js')

const program = new Command('millrace').exitOverride().configureOutput({ outputError: () => {} })
const known = { repo: 'acme/tiny-model', files: { required: ['tokenizer.json'] } }
modelsCommand(
  program,
  (code) => {
    process.exitCode = code
  },
  (name) => (name === 'tiny' ? known : undefined),
)
await program.parseAsync(process.argv).catch((error) => {
  process.stderr.write(`${errorText(error, false)}\n`)
  process.exitCode = exitCodeOf(error)
})
