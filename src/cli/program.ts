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
Examples:
  millrace embed texts.txt --output vectors.npy
  millrace embed docs.jsonl.gz --field body --keep id,title --output vectors.jsonl
  zcat log.gz | millrace embed - --to jsonl | head -1
  millrace embed --family image photos/ --output photos.npy
  millrace index docs/ --to lancedb:./db/docs
  millrace search --index lancedb:./db/docs "resize a partition"
  millrace search --index vectors.npy --texts texts.txt "resize a partition"
  millrace rerank --query "resize a partition" --top-n 5 texts.txt
  millrace doctor`

/** Parses `argv`, runs a command and returns the exit code. Errors are printed, never thrown. */
export async function run(argv: readonly string[]): Promise<number> {
  let exitCode = 0
  const program = new Command('millrace')
    .description('Embeddings of texts and images on this machine.')
    .version(packageVersion(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
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
