/** The command `millrace chunk`: its options and help. */

import { type Command, Option } from 'commander'
import { EXIT, EXIT_HELP } from '../exit.js'
import { withInterrupt } from '../interrupt.js'
import { commaSeparated, encodingName, positiveInteger, wholeNumber } from '../model-options.js'
import type { ChunkFlags } from './flags.js'
import { runChunk } from './run.js'

const HELP = `
The command cuts texts into chunks that a model takes whole, and prints a JSON record for each chunk: source, start, end, tokens, headings (with
--by markdown) and text. A file is one text; of JSON lines each record is one. Start and end count UTF-16 code units, as JavaScript's slice
does; with --clean, --html or --markdown they count in the text that is left. gzip is unpacked.

Examples:
  Cut a book into chunks of 200 tokens that overlap by 20:
    millrace chunk book.txt --max-tokens 200 --overlap 20 --output chunks.jsonl
  Cut Markdown at its headings:
    millrace chunk README.md --by markdown
  Cut the text of a web page, and embed the chunks:
    millrace chunk page.html --html --clean | millrace embed - --format jsonl --keep source,start,end
`

/** Adds the command; `ended` gets its exit code. */
export function chunkCommand(program: Command, ended: (exitCode: number) => void): void {
  program
    .command('chunk')
    .description('Cut texts into chunks that fit a model.')
    .argument('<file...>', 'Text files or JSON lines; - is standard input.')
    .addOption(
      new Option('--by <what>', 'Cut between sentences, at the structure of Markdown, or at any token.')
        .choices(['sentence', 'markdown', 'tokens'])
        .default('sentence'),
    )
    .option(
      '--max-tokens <n>',
      'Make chunks of at most this many tokens, special tokens included (default: what the model takes).',
      positiveInteger,
    )
    .option(
      '--overlap <n>',
      'Begin each chunk with up to this many tokens of the one before.',
      wholeNumber,
      0,
    )
    .option(
      '--prefix <text>',
      'Leave room for this text, which is written before each chunk when it is embedded.',
    )
    .option('-m, --model <name>', 'Count the tokens of this model (default: the bundled all-MiniLM-L6-v2).')
    .option('--model-path <dir>', 'Count the tokens of the model in this directory.')
    .option('--clean', 'Clean texts first: plain typography, no invisible characters, no stray white space.')
    .addOption(
      new Option('--html', 'Read texts as HTML and take the markup away first.').conflicts('markdown'),
    )
    .option('--markdown', 'Read texts as Markdown and take the markup away first.')
    .addOption(
      new Option('--format <format>', 'Read the input as this (default: by its name).').choices([
        'text',
        'jsonl',
      ]),
    )
    .option(
      '--encoding <name>',
      'Decode text files with this encoding, such as windows-1252 (default: UTF-8; for HTML what the page declares).',
      encodingName,
    )
    .option(
      '--field <path>',
      'Take the text from this field of a JSON record; dots lead into records.',
      'text',
    )
    .option('--keep <fields>', 'Copy these fields of a JSON record, separated by commas.', commaSeparated, [])
    .option('-o, --output <file>', 'Write JSON lines to this file; - is standard output.', '-')
    .addHelpText('after', HELP + EXIT_HELP)
    .action(async (files: string[], flags: ChunkFlags) => {
      await withInterrupt((signal) => runChunk(files, flags, signal))
      ended(EXIT.ok)
    })
}
