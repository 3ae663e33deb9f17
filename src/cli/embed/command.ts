/** The command `millrace embed`: its options and help. */

import { type Command, Option } from 'commander'
import { DTYPES } from '../../formats/dtype.js'
import { EXIT_HELP } from '../exit.js'
import type { EmbedFlags } from '../families/family.js'
import { FAMILY_NAMES, familyName } from '../families/names.js'
import { withInterrupt } from '../interrupt.js'
import {
  addDenseOptions,
  addModelOptions,
  append,
  commaSeparated,
  finiteNumber,
  positiveInteger,
  wholeNumber,
} from '../model-options.js'
import { OUTPUT_FORMATS } from '../output/format.js'
import { planEmbed } from './plan.js'
import { runEmbed } from './run.js'

const HELP = `
Texts: one a line, or a JSON record a line (.jsonl, or --format jsonl); gzip is unpacked. Images: files, folders (every
image in them, by name), or lists of paths: --list, .jsonl, standard input. Row i of the output belongs to input i. The
output appears under its name when it is whole.

Outputs: dense and image vectors .npy, .jsonl, .f32; the others .npz, .jsonl. Sparse .npz is SciPy's (load_npz); the
others hold data, a vector a row, and row_offsets. A .npz is gathered in files beside it first.

Examples:
  millrace embed texts.txt --output vectors.npy
  millrace embed docs.jsonl --field meta.body --keep id,title --output vectors.jsonl
  millrace embed big.txt.gz --output big.npy --dtype float16 --json
  cat questions.txt | millrace embed - --query --to jsonl
  millrace embed --family sparse --language german docs.txt --output bm25.npz
  millrace embed --family colbert docs.txt --output tokens.npz
  millrace embed --family image photos/ --errors collect --output photos.jsonl
  find . -name '*.png' | sort | millrace embed --family image - --output shots.npy
  millrace embed --family multimodal --text questions.txt --output questions.npz
`

/** Adds the command; `ended` gets its exit code. */
export function embedCommand(program: Command, ended: (exitCode: number) => void): void {
  const command = program
    .command('embed')
    .description('embed texts or images (- is standard input)')
    .argument('[file...]', 'text or JSON lines, .gz too; image files and folders')
    .option(
      '--family <family>',
      `${FAMILY_NAMES.join(', ')} (default: the model's, else dense); colbert is late-interaction`,
      familyName,
    )
    .addOption(new Option('--format <format>', 'of the input (default: by name)').choices(['lines', 'jsonl']))
    .option(
      '--field <path>',
      "field of a JSON record with the text, or the image's path (default: text, path)",
    )
    .option('--list <file>', 'file with paths of images; may be repeated', append)
    .option('--keep <fields>', 'fields to copy to JSON lines output, comma-separated', commaSeparated)
    .option('--limit <n>', 'take only the first inputs', positiveInteger)
    .option('-o, --output <file>', '.npy, .npz, .jsonl or .f32; - is standard output (default)')
    .addOption(new Option('--to <format>', 'of the output (default: by name)').choices(OUTPUT_FORMATS))
  addModelOptions(command, "the family's; of dense text the bundled all-MiniLM-L6-v2")
    .option('--kind <kind>', 'what the model in --model-path is: sparse and late-interaction')
    .option('--batch-size <rows>', 'rows of a batch on the way to the output', positiveInteger)
    .option('--max-batch-tokens <n>', 'most tokens of one run, padding included', positiveInteger)
    .addOption(
      new Option('--overflow <what>', 'what a text over the limit does (default: truncate)').choices([
        'truncate',
        'error',
        'chunk',
      ]),
    )
    .addOption(
      new Option('--errors <what>', 'what a failed input does: end the run, or be listed and exit with 3')
        .choices(['throw', 'collect'])
        .default('throw'),
    )
    .addOption(new Option('--query', 'the texts are queries').conflicts('passage'))
    .option('--passage', 'the texts are passages to search in')
    .option('-q, --quiet', 'say nothing but errors')
    .option('--json', 'print a summary as JSON')
  command.optionsGroup('Dense text and images:')
  addDenseOptions(command)
    .addOption(new Option('--dtype <type>', 'of the values (default: float32)').choices(DTYPES))
    .option('--task-id <n>', 'what texts are embedded for, by the number of the model', wholeNumber)
    .optionsGroup('Sparse:')
    .option('--language <name>', 'of the stemmer and the stop words (default: english)')
    .option('--k <x>', 'how late repetitions stop to count (default: 1.2)', finiteNumber)
    .option('--b <x>', 'how much long documents are held back (default: 0.75)', finiteNumber)
    .option('--avg-len <words>', 'words of an average document (default: 256)', finiteNumber)
    .option('--token-max-length <n>', 'longest word in characters (default: 40)', positiveInteger)
    .option('--disable-stemmer', 'take words as they are')
    .option('--stopwords <file>', "words to leave out instead of the language's")
    .option('--alpha <x>', "BM42's exponent (default: 0.5)", finiteNumber)
    .optionsGroup('Images and multimodal:')
    .option('--auto-orient', 'turn images as their EXIF orientation says')
    .option('--text', 'multimodal: the inputs are texts, as queries')
    .addHelpText('after', HELP + EXIT_HELP)
    .action(async (files: string[], flags: EmbedFlags) => {
      const plan = await planEmbed(files, flags)
      ended(await withInterrupt((signal) => runEmbed(plan, flags, signal)))
    })
}
