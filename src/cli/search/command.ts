/** The command `millrace search`: its options and help. */

import type { Command } from 'commander'
import { EXIT, EXIT_HELP } from '../exit.js'
import { withInterrupt } from '../interrupt.js'
import { addDenseOptions, addModelOptions, append, positiveInteger } from '../model-options.js'
import type { SearchFlags } from './flags.js'
import { runSearch } from './run.js'

const HELP = `
The command embeds the query, compares it with every vector of the index by cosine, and prints rank, score and text of the nearest ones. The
index is a store that millrace index filled, or a file of dense vectors that millrace embed wrote: .npy or .f32 together with the same
--texts in the same order, or JSON lines made with --keep text. Use the model and the --dimensions that the index was made with; a store
knows its model.

Examples:
  Search a store:
    millrace search --index lancedb:./db/docs "resize a partition"
    millrace search --index sqlite:docs.db --top 3 "tax form"
  Search vectors in a NumPy file, and print the texts that they were made of:
    millrace search --index vectors.npy --texts texts.txt "resize a partition"
  Search JSON lines, for a program:
    millrace search --index vectors.jsonl --json "play music"
`

/** Adds the command; `ended` gets its exit code. */
export function searchCommand(program: Command, ended: (exitCode: number) => void): void {
  const command = program
    .command('search')
    .description('Find the texts that are nearest to a query.')
    .argument('<query...>', 'The words of the query.')
    .requiredOption(
      '--index <file>',
      'Search this store (lancedb:…, sqlite:…, postgres://…, qdrant:…), or this file of vectors (.npy, .f32, .jsonl).',
    )
    .option(
      '--texts <file>',
      'Print texts from this file, which was embedded. May be given several times.',
      append,
    )
    .option('--field <path>', 'Print this field of a JSON record (default: text).')
    .option('-k, --top <n>', 'Print this many texts.', positiveInteger, 10)
  addDenseOptions(addModelOptions(command, 'the bundled all-MiniLM-L6-v2'))
    .option('--json', 'Print JSON.')
    .addHelpText('after', HELP + EXIT_HELP)
    .action(async (words: string[], flags: SearchFlags) => {
      await withInterrupt((signal) => runSearch(words.join(' '), flags, signal))
      ended(EXIT.ok)
    })
}
