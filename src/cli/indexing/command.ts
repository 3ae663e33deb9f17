/** The command `millrace index`: its options and help. */

import { type Command, Option } from 'commander'
import { DTYPES } from '../../formats/dtype.js'
import { EXIT_HELP } from '../exit.js'
import { withInterrupt } from '../interrupt.js'
import {
  addDenseOptions,
  addModelOptions,
  commaSeparated,
  encodingName,
  positiveInteger,
  wholeNumber,
} from '../model-options.js'
import { STORES_HELP } from '../stores.js'
import { INPUT_KINDS, readFlags } from './flags.js'
import { runIndex } from './run.js'

const HELP = `
The command reads documents, cleans them, cuts them into chunks that fit the model, embeds the chunks and writes the vectors with
their texts to the store. An input is a folder (its Markdown, HTML and text files are documents), a Markdown or HTML file, a text file
(each line is a document), or a file of records: JSON lines, CSV or Parquet. A file's name says what it is; --from says it where the name does not.
The id of a document is the path of its file, relative to the working directory, or what --id names.

A journal notes what is in the store: beside the store, or for a store on a server (PostgreSQL, Qdrant) in the folder .millrace of the
working directory. If the command is interrupted, call it again and it goes on where it was. If documents
change, call it again and only those are embedded. A store that was made with another model or other options is refused.

--prune removes documents from the store that the inputs no longer have. It removes nothing if an input could not be read, and it
refuses to remove everything that was in the store, as when a disk is not mounted; --prune-all removes even that.

Instead of inputs you can give one configuration file, .json or .mjs. Its words are the options' names in camelCase:
{ "inputs": ["docs"], "to": "lancedb:db/docs", "chunkTokens": 200 }

${STORES_HELP}

Examples:
  Make a folder searchable, and search it:
    millrace index docs/ --to lancedb:./db/docs
    millrace search --index lancedb:./db/docs "resize a partition"
  Index the rows of a CSV file that Excel wrote, with dense and sparse vectors:
    millrace index tickets.csv --delimiter ';' --encoding windows-1252 --id number --text subject,body --to sqlite:tickets.db --sparse
  Index a large file, keep vectors for the next time, and list the documents that fail:
    millrace index corpus.jsonl.gz --to parquet:./vectors --dtype int8 --cache ./cache --dead-letters failed.jsonl
`

/** Adds the command; `ended` gets its exit code. */
export function indexCommand(program: Command, ended: (exitCode: number) => void): void {
  const command = program
    .command('index')
    .description('Take documents to a store, or bring a store up to date.')
    .argument(
      '[input...]',
      'Folders and files with documents, - for standard input, or one configuration file.',
    )
    .option('--config <file>', 'Read options from this file; options on the command line win.')
    .option('--to <store>', 'Write to this store. The kinds of store are listed below.')
  addInputOptions(command)
  addTextOptions(command)
  command.optionsGroup('Vectors:')
  addDenseOptions(addModelOptions(command, 'the bundled all-MiniLM-L6-v2'))
    .option('--no-dense', 'Make no dense vectors.')
    .option('--sparse [model]', 'Make sparse vectors too, with this model (default: BM25).')
    .addOption(
      new Option('--dtype <type>', 'Store dense vectors in this format (default: float32).').choices(DTYPES),
    )
    .option(
      '--cache <where>',
      'Keep vectors for later runs: in memory ("memory"), in a folder, or in Redis ("redis://…").',
    )
    .option('--cache-bytes <n>', 'Let the cache take up this many bytes.', positiveInteger)
  command.optionsGroup('The run:')
  addRunOptions(command)
    .addHelpText('after', HELP + EXIT_HELP)
    .action(async (inputs: string[]) => {
      const flags = await readFlags(command, inputs)
      ended(await withInterrupt((signal) => runIndex(flags, signal)))
    })
}

function addInputOptions(command: Command): void {
  command
    .optionsGroup('Inputs:')
    .addOption(
      new Option('--from <kind>', 'Read the inputs as this (default: by their names).').choices(INPUT_KINDS),
    )
    .option('--id <field>', 'Take the id of a record from this field (default: id, else file and line).')
    .option(
      '--text <fields>',
      'Take the text of a record from these fields, separated by commas (default: text).',
      commaSeparated,
    )
    .option(
      '--metadata <fields>',
      'Keep these fields of a record, separated by commas, or "all" for all others.',
      (value) => (value === 'all' ? true : commaSeparated(value)),
    )
    .addOption(
      new Option('--text-format <format>', 'Read the texts of records as this (default: text).').choices([
        'text',
        'markdown',
        'html',
      ]),
    )
    .option(
      '--encoding <name>',
      'Decode text, HTML and CSV files with this encoding, such as windows-1252 (default: UTF-8).',
      encodingName,
    )
    .option('--delimiter <text>', 'Split the fields of CSV files at this (default: a comma; a tab for .tsv).')
    .addOption(
      new Option(
        '--quotes <which>',
        'Say whether fields of CSV files may stand in double quotation marks (default: double; none for .tsv).',
      ).choices(['double', 'none']),
    )
    .option('--no-header', 'Take the first row of CSV files as a row; the columns are called 1, 2, 3…')
    .option('--limit <n>', 'Take only the first documents.', positiveInteger)
}

function addTextOptions(command: Command): void {
  command
    .optionsGroup('Texts and chunks:')
    .option('--no-clean', 'Take texts as they are: do not clean them.')
    .option('--min-length <n>', 'Leave out documents with fewer characters than this.', wholeNumber)
    .option(
      '--languages <codes>',
      'Leave out documents in other languages than these: ISO 639-3 codes, such as eng,deu.',
      commaSeparated,
    )
    .addOption(
      new Option('--duplicates <which>', 'Leave out documents that repeat an earlier one.').choices([
        'exact',
        'near',
      ]),
    )
    .option('--no-chunk', "Embed each document as a whole, cut off at the model's limit.")
    .option(
      '--chunk-tokens <n>',
      "Make chunks of at most this many tokens (default: the model's limit).",
      positiveInteger,
    )
    .option(
      '--overlap <n>',
      'Begin each chunk with up to this many tokens of the one before (default: 0).',
      wholeNumber,
    )
    .addOption(
      new Option(
        '--by <what>',
        'Cut texts between sentences, at the structure of Markdown, or at any token (default: auto).',
      ).choices(['auto', 'sentence', 'markdown', 'tokens']),
    )
}

function addRunOptions(command: Command): Command {
  return command
    .option(
      '--journal <file>',
      'Keep the journal in this file (default: beside the store; for a store on a server, in .millrace/ in the working directory).',
    )
    .option('--no-journal', 'Keep no journal: the run cannot be resumed, and each run writes everything.')
    .option(
      '--dead-letters <file>',
      'List documents that fail in this file and go on; the exit code is then 3. Without it, the first one ends the run.',
    )
    .option('--prune', 'Remove documents from the store that the inputs no longer have.')
    .option('--prune-all', 'As --prune, even if nothing that was in the store is left.')
    .option('--retry-failed', 'Try documents again that failed in an earlier run.')
    .option('--overwrite', 'Begin anew a store that has records and no journal.')
    .option('--batch-records <n>', 'Write this many records at a time (default: 1024).', positiveInteger)
    .option('-q, --quiet', 'Print nothing but errors.')
    .option('--json', 'Print a summary as JSON.')
}
