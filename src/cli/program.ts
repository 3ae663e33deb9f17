/** Puts the commands together and runs one. What a command does is in its own file. */

import { Command } from 'commander'
import { benchCommand } from './bench/command.js'
import { chunkCommand } from './chunk/command.js'
import { doctorCommand } from './doctor/command.js'
import { embedCommand } from './embed/command.js'
import { EXIT_HELP, errorText, exitCodeOf } from './exit.js'
import { indexCommand } from './indexing/command.js'
import { modelsCommand } from './models/command.js'
import { rerankCommand } from './rerank/command.js'
import { searchCommand } from './search/command.js'
import { say } from './terminal.js'
import { packageVersion } from './version.cjs'

const EXAMPLES = `
Call "millrace <command> --help" for the options of a command.

Examples:
  Make a folder of documents searchable, and search it:
    millrace index docs/ --to lancedb:./db/docs
    millrace search --index lancedb:./db/docs "resize a partition"
  Make vectors of the lines of a file, and search those:
    millrace embed texts.txt --output vectors.npy
    millrace search --index vectors.npy --texts texts.txt "resize a partition"
  Make vectors of images:
    millrace embed --family image photos/ --output photos.npy
  Sort texts by how well they answer a question:
    millrace rerank --query "resize a partition" --top-n 5 texts.txt
  Find out why something does not work:
    millrace doctor`

/** Parses `argv`, runs a command and returns the exit code. Errors are printed, never thrown. */
export async function run(argv: readonly string[]): Promise<number> {
  let exitCode = 0
  const program = new Command('millrace')
    .description('millrace turns texts and images into vectors on this machine, and searches them.')
    .version(packageVersion(), '-v, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help.')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    // An error is printed once, below, in one shape.
    .configureOutput({ outputError: () => {} })
    .addHelpText('after', `${EXAMPLES}\n${EXIT_HELP}`)
  const ended = (code: number) => {
    exitCode = code
  }
  embedCommand(program, ended)
  indexCommand(program, ended)
  searchCommand(program, ended)
  chunkCommand(program, ended)
  rerankCommand(program, ended)
  modelsCommand(program, ended)
  doctorCommand(program, ended)
  benchCommand(program, ended)
  try {
    await program.parseAsync(argv)
    return exitCode
  } catch (error) {
    const text = errorText(error, process.env['MILLRACE_DEBUG'] === '1')
    if (text !== undefined) say(text)
    return exitCodeOf(error)
  }
}
