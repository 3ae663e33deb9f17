/** The command `millrace rerank`: its options and help. */

import { type Command, Option } from 'commander'
import { EXIT_HELP } from '../exit.js'
import { withInterrupt } from '../interrupt.js'
import { addModelOptions, commaSeparated, positiveInteger } from '../model-options.js'
import { planRerank, type RerankFlags } from './plan.js'
import { runRerank } from './run.js'

const HELP = `
The command scores each document by how well it answers the query, with a cross encoder, and prints score, index and text: all documents in
the order of the input, or with --top-n the best ones first. Each line of a file is a document, or in JSON lines each record. With --pairs,
each JSON record holds its own query and document. --json and --output write JSON lines; with --output, --json prints a summary instead.

Examples:
  Find the five best answers in a text file:
    millrace rerank --query "resize a partition" --top-n 5 texts.txt
  Rerank what a search has found:
    millrace search --index v.npy --texts t.txt "tax form" --json | jq -r '.results[].text' | millrace rerank --query "tax form" -
  Score a field of JSON lines between 0 and 1:
    millrace rerank --query "tax form" docs.jsonl --field body --keep id --activation sigmoid --json
  Score pairs:
    millrace rerank --pairs pairs.jsonl --output scores.jsonl
`

/** Adds the command; `ended` gets its exit code. */
export function rerankCommand(program: Command, ended: (exitCode: number) => void): void {
  const command = program
    .command('rerank')
    .description('Score documents by how well they answer a query.')
    .argument('<file...>', 'Text files or JSON lines with the documents; - is standard input.')
    .addOption(new Option('--query <text>', 'Score the documents for this query.').conflicts('pairs'))
    .option('--pairs', 'Score the pairs of query and document in JSON lines.')
    .option('--top-n <n>', 'Print only the best documents, the best one first.', positiveInteger)
    .addOption(
      new Option(
        '--activation <which>',
        "Leave the model's scores as they are, or bring them between 0 and 1 (default: none).",
      ).choices(['none', 'sigmoid']),
    )
    .addOption(
      new Option('--format <format>', 'Read the input as this (default: by its name).').choices([
        'lines',
        'jsonl',
      ]),
    )
    .option(
      '--field <path>',
      'Take the document from this field of a JSON record; dots lead into records (default: text).',
    )
    .option('--keep <fields>', 'Copy these fields to the JSON lines, separated by commas.', commaSeparated)
    .option('--limit <n>', 'Take only the first documents.', positiveInteger)
    .option('-o, --output <file>', 'Write JSON lines to this file; - is standard output.')
  addModelOptions(command, 'Xenova/ms-marco-MiniLM-L-6-v2')
    .option(
      '--max-batch-tokens <n>',
      'Compute at most this many tokens in one run, padding included.',
      positiveInteger,
    )
    .addOption(
      new Option('--overflow <what>', 'Say what happens to a pair that is longer than the model takes.')
        .choices(['truncate', 'error'])
        .default('truncate'),
    )
    .addOption(
      new Option(
        '--errors <what>',
        'Say what happens when a document fails: throw ends the run, collect lists it, goes on and exits with 3.',
      )
        .choices(['throw', 'collect'])
        .default('throw'),
    )
    .option('-q, --quiet', 'Print nothing but errors.')
    .option('--json', 'Print JSON.')
    .addHelpText('after', HELP + EXIT_HELP)
    .action(async (files: string[], flags: RerankFlags) => {
      const plan = await planRerank(files, flags)
      ended(await withInterrupt((signal) => runRerank(plan, flags, signal)))
    })
}
