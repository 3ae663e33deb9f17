/** The command `millrace index`: its options and help. */

import { type Command, Option } from 'commander'
import { EXIT_HELP } from '../exit.js'
import { withInterrupt } from '../interrupt.js'
import {
  addDenseOptions,
  addModelOptions,
  commaSeparated,
  positiveInteger,
  wholeNumber,
} from '../model-options.js'
import { STORES_HELP } from '../stores.js'
import { readFlags } from './flags.js'
import { runIndex } from './run.js'

const HELP = `
Takes documents to a store: cleans them, cuts them into chunks that the model takes whole, embeds, writes. Inputs are folders
(their Markdown, HTML and text files), such files, lines, JSON lines, CSV and Parquet, by their names or --from. The only
argument may be a configuration instead, .json or .mjs, with the same words: { "inputs": ["docs"], "to": "lancedb:db/docs",
"chunkTokens": 200 }.

A journal beside the store says what is in it. An interrupted command goes on when it is called again; later calls embed what has
changed only, and --prune removes what the inputs no longer have. Another model or other options are refused.

${STORES_HELP}

Examples:
  millrace index docs/ --to lancedb:./db/docs
  millrace search --index lancedb:./db/docs "resize a partition"
  millrace index tickets.csv --id number --text subject,body --metadata all --to sqlite:tickets.db --sparse
  millrace index corpus.jsonl.gz --to parquet:./vectors --dtype int8 --cache ./cache --dead-letters failed.jsonl
`

/** Adds the command; `ended` gets its exit code. */
export function indexCommand(program: Command, ended: (exitCode: number) => void): void {
  const command = program
    .command('index')
    .description('take documents to a store, or bring it up to date')
    .argument('[input...]', 'folders and files; or one configuration, .json or .mjs')
    .option('--config <file>', 'configuration; options win')
    .option('--to <store>', 'where records go, see below')
    .addOption(
      new Option('--from <kind>', 'what the inputs are (default: by name)').choices([
        'folder',
        'files',
        'lines',
        'jsonl',
        'csv',
        'parquet',
      ]),
    )
    .option('--id <field>', 'field with the id (default: id, else the place)')
    .option(
      '--text <fields>',
      'field with the text, or several, comma-separated (default: text)',
      commaSeparated,
    )
    .option('--metadata <fields>', 'fields to keep, comma-separated, or all', (value) =>
      value === 'all' ? true : commaSeparated(value),
    )
    .addOption(
      new Option('--text-format <format>', 'of the texts in records').choices(['text', 'markdown', 'html']),
    )
    .option('--limit <n>', 'take only the first documents', positiveInteger)
    .option('--no-clean', 'take texts as they are')
    .option('--min-length <n>', 'leave out shorter documents, in characters', wholeNumber)
    .option(
      '--languages <codes>',
      'leave out documents in others, ISO 639-3, comma-separated',
      commaSeparated,
    )
    .addOption(
      new Option('--duplicates <which>', 'leave out documents that repeat others').choices(['exact', 'near']),
    )
    .option('--no-chunk', "embed whole documents, cut off at the model's limit")
    .option('--chunk-tokens <n>', "most tokens of a chunk (default: the model's limit)", positiveInteger)
    .option('--overlap <n>', 'tokens that chunks have in common (default: 0)', wholeNumber)
    .addOption(
      new Option('--by <what>', 'where texts are cut (default: auto)').choices([
        'auto',
        'sentence',
        'markdown',
        'tokens',
      ]),
    )
  addDenseOptions(addModelOptions(command, 'the bundled all-MiniLM-L6-v2'))
    .option('--no-dense', 'no dense vectors')
    .option('--sparse [model]', 'sparse vectors too (default: BM25)')
    .addOption(
      new Option('--dtype <type>', 'of dense vectors (default: float32)').choices([
        'float32',
        'float16',
        'int8',
        'uint8',
        'binary',
        'ubinary',
      ]),
    )
    .option('--cache <where>', 'keep vectors: memory, a folder, or redis://…')
    .option('--cache-bytes <n>', 'most bytes of it', positiveInteger)
    .option('--journal <file>', 'where it lies (default: beside the store)')
    .option('--no-journal', 'neither resumable nor incremental')
    .option('--dead-letters <file>', 'list documents that fail, go on and exit with 3')
    .option('--prune', 'remove documents that the inputs no longer have')
    .option('--retry-failed', 'try documents again that failed before')
    .option('--overwrite', 'begin anew a store that no journal knows')
    .option('--batch-records <n>', 'records that are written together (default: 1024)', positiveInteger)
    .option('-q, --quiet', 'say nothing but errors')
    .option('--json', 'print a summary as JSON')
    .addHelpText('after', HELP + EXIT_HELP)
    .action(async (inputs: string[]) => {
      const flags = await readFlags(command, inputs)
      ended(await withInterrupt((signal) => runIndex(flags, signal)))
    })
}
