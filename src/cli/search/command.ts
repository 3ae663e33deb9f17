/** The command `millrace search`: its options and help. */

import type { Command } from 'commander'
import { EXIT, EXIT_HELP } from '../exit.js'
import { withInterrupt } from '../interrupt.js'
import { addDenseOptions, addModelOptions, append, positiveInteger } from '../model-options.js'
import { runSearch, type SearchFlags } from './run.js'

const HELP = `
Compares the query with every vector (cosine) and prints rank, score and text. The index is what millrace embed
wrote of dense text: .npy or .f32 with the same --texts in the same order, or JSON lines made with --keep text; or a store
that millrace index filled, as it was called there. Use the model and the --dimensions the index was made with.

Examples:
  millrace search --index vectors.npy --texts texts.txt "resize a partition"
  millrace search --index docs.npy --texts docs.jsonl --field title --top 3 "tax form"
  millrace search --index vectors.jsonl --json "play music"
  millrace search --index lancedb:./db/docs "resize a partition"
  millrace search --index sqlite:docs.db --top 3 "tax form"
`

/** Adds the command; `ended` gets its exit code. */
export function searchCommand(program: Command, ended: (exitCode: number) => void): void {
  const command = program
    .command('search')
    .description('find the embedded texts nearest to a query')
    .argument('<query...>', 'words of the query')
    .requiredOption(
      '--index <file>',
      'vectors: .npy, .f32 or .jsonl; or a store: lancedb:…, sqlite:…, postgres://…, qdrant:…',
    )
    .option('--texts <file>', 'the texts that were embedded; may be repeated', append)
    .option('--field <path>', 'field of a JSON record with the text to print (default: text)')
    .option('-k, --top <n>', 'how many', positiveInteger, 10)
  addDenseOptions(addModelOptions(command, 'the bundled all-MiniLM-L6-v2'))
    .option('--json', 'print as JSON')
    .addHelpText('after', HELP + EXIT_HELP)
    .action(async (words: string[], flags: SearchFlags) => {
      await withInterrupt((signal) => runSearch(words.join(' '), flags, signal))
      ended(EXIT.ok)
    })
}
