/** The command `millrace embed`: its options and help. */

import { type Command, Option } from 'commander'
import { EXIT_HELP } from '../exit.js'
import { withInterrupt } from '../interrupt.js'
import { addModelOptions, positiveInteger } from '../model-options.js'
import { type EmbedFlags, planEmbed } from './plan.js'
import { runEmbed } from './run.js'

const HELP = `
A text a line, or a JSON record a line (.jsonl, or --format jsonl); gzip is unpacked. Row i of the output belongs to
text i. The output appears under its name when it is whole.

Examples:
  millrace embed texts.txt --output vectors.npy
  millrace embed docs.jsonl --field meta.body --keep id,title --output vectors.jsonl
  millrace embed big.txt.gz --output big.npy --dtype float16 --json
  cat questions.txt | millrace embed - --query --to jsonl
`

/** Adds the command; `ended` gets its exit code. */
export function embedCommand(program: Command, ended: (exitCode: number) => void): void {
  const command = program
    .command('embed')
    .description('embed the texts of files (- is standard input)')
    .argument('<file...>', 'text or JSON lines, .gz too')
    .addOption(new Option('--format <format>', 'of the input (default: by name)').choices(['lines', 'jsonl']))
    .option('--field <path>', 'field of a JSON record with the text, dotted (default: text)')
    .option('--keep <fields>', 'fields to copy to JSON lines output, comma-separated', list)
    .option('--limit <n>', 'take only the first texts', positiveInteger)
    .option('-o, --output <file>', '.npy, .jsonl or .f32; - is standard output (default)')
    .addOption(
      new Option('--to <format>', 'of the output (default: by name)').choices(['npy', 'jsonl', 'f32']),
    )
  addModelOptions(command)
    .option('--batch-size <rows>', 'rows of a batch on the way to the output', positiveInteger)
    .option('--max-batch-tokens <n>', 'most tokens of one run, padding included', positiveInteger)
    .addOption(
      new Option('--dtype <type>', 'of the values')
        .choices(['float32', 'float16', 'int8', 'uint8', 'binary', 'ubinary'])
        .default('float32'),
    )
    .addOption(
      new Option('--overflow <what>', 'what a text over the limit does')
        .choices(['truncate', 'error'])
        .default('truncate'),
    )
    .addOption(
      new Option('--errors <what>', 'what a failed text does: end the run, or be listed and exit with 3')
        .choices(['throw', 'collect'])
        .default('throw'),
    )
    .addOption(
      new Option('--query', "the texts are queries: the model's prompt for them").conflicts('passage'),
    )
    .option('--passage', "the texts are passages: the model's prompt for them")
    .option('-q, --quiet', 'say nothing but errors')
    .option('--json', 'print a summary as JSON')
    .addHelpText('after', HELP + EXIT_HELP)
    .action(async (files: string[], flags: EmbedFlags) => {
      const plan = await planEmbed(files, flags)
      ended(await withInterrupt((signal) => runEmbed(plan, flags, signal)))
    })
}

function list(value: string): string[] {
  return value.split(',').filter((name) => name !== '')
}
