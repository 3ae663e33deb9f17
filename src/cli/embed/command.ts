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
  encodingName,
  finiteNumber,
  positiveInteger,
  wholeNumber,
} from '../model-options.js'
import { OUTPUT_FORMATS } from '../output/format.js'
import { planEmbed } from './plan.js'
import { runEmbed } from './run.js'

const HELP = `
The command makes a vector of each text or image and writes them in the order of the input: row i of the output belongs to input i. The
output file appears under its name when it is complete.

Texts come from files or standard input: each line is a text, or in JSON lines (.jsonl) each record. Images come from files, from folders
(every image in them, by name), or from lists of paths: --list, a .jsonl file, or standard input. gzip is unpacked.

Dense vectors and vectors of images are written as .npy (NumPy), .jsonl (JSON lines) or .f32 (plain float32). The other families are written
as .npz or .jsonl; scipy.sparse.load_npz reads a sparse .npz, and the others hold one vector a row with row_offsets.

Examples:
  Embed a text file for NumPy:
    millrace embed texts.txt --output vectors.npy
  Embed a field of JSON lines, and keep two others beside the vectors:
    millrace embed docs.jsonl --field meta.body --keep id,title --output vectors.jsonl
  Embed questions that come through a pipe:
    cat questions.txt | millrace embed - --query --to jsonl
  Make sparse vectors (BM25) of German texts:
    millrace embed --family sparse --language german docs.txt --output bm25.npz
  Embed every image of a folder, and go on when one is damaged:
    millrace embed --family image photos/ --errors collect --output photos.jsonl
  Embed images whose paths a program lists:
    find . -name '*.png' | sort | millrace embed --family image - --output shots.npy
  Embed questions for a search in images:
    millrace embed --family multimodal --text questions.txt --output questions.npz
`

/** Adds the command; `ended` gets its exit code. */
export function embedCommand(program: Command, ended: (exitCode: number) => void): void {
  const command = program
    .command('embed')
    .description('Make vectors of texts or images.')
    .argument('[file...]', 'Text files, JSON lines, image files or folders; - is standard input.')
    .option(
      '--family <family>',
      `Make vectors of this kind: ${FAMILY_NAMES.join(', ')}, or colbert for late-interaction (default: what the model makes).`,
      familyName,
    )
    .addOption(
      new Option('--format <format>', 'Read the input as this (default: by its name).').choices([
        'lines',
        'jsonl',
      ]),
    )
    .option(
      '--field <path>',
      'Take the text, or the path of the image, from this field of a JSON record (default: text, path).',
    )
    .option('--list <file>', 'Read paths of images from this file. May be given several times.', append)
    .option('--keep <fields>', 'Copy these fields to the JSON lines, separated by commas.', commaSeparated)
    .option(
      '--encoding <name>',
      'Decode text files with this encoding, such as windows-1252 (default: UTF-8).',
      encodingName,
    )
    .option('--limit <n>', 'Take only the first inputs.', positiveInteger)
    .option(
      '-o, --output <file>',
      'Write to this file: .npy, .npz, .jsonl or .f32 (default: -, standard output).',
    )
    .addOption(
      new Option('--to <format>', 'Write this format (default: by the name of the output).').choices(
        OUTPUT_FORMATS,
      ),
    )
  addModelOptions(command, 'for dense text the bundled all-MiniLM-L6-v2, else the usual one of its kind')
    .option('--kind <kind>', 'Say what the model in --model-path is, for sparse and late-interaction models.')
    .option('--batch-size <rows>', 'Write this many rows at a time.', positiveInteger)
    .option(
      '--max-batch-tokens <n>',
      'Compute at most this many tokens in one run, padding included.',
      positiveInteger,
    )
    .addOption(
      new Option(
        '--overflow <what>',
        'Say what happens to a text that is longer than the model takes (default: truncate).',
      ).choices(['truncate', 'error', 'chunk']),
    )
    .addOption(
      new Option(
        '--errors <what>',
        'Say what happens when an input fails: throw ends the run, collect lists it, goes on and exits with 3.',
      )
        .choices(['throw', 'collect'])
        .default('throw'),
    )
    .addOption(new Option('--query', 'Embed the texts as queries.').conflicts('passage'))
    .option('--passage', 'Embed the texts as passages, which queries search.')
    .option('-q, --quiet', 'Print nothing but errors.')
    .option('--json', 'Print a summary as JSON.')
  command.optionsGroup('Dense text and images:')
  addDenseOptions(command)
    .addOption(
      new Option('--dtype <type>', 'Write values in this format (default: float32).').choices(DTYPES),
    )
    .option('--task-id <n>', 'Embed texts for this task, by the number that the model gives it.', wholeNumber)
    .optionsGroup('Sparse:')
    .option('--language <name>', 'Use the stemmer and the stop words of this language (default: english).')
    .option('--k <x>', "Let repetitions of a word count up to this (BM25's k, default: 1.2).", finiteNumber)
    .option(
      '--b <x>',
      "Weigh the length of documents this much, 0 to 1 (BM25's b, default: 0.75).",
      finiteNumber,
    )
    .option(
      '--avg-len <words>',
      'Take this for the number of words in an average document (default: 256).',
      finiteNumber,
    )
    .option(
      '--token-max-length <n>',
      'Leave out words with more characters than this (default: 40).',
      positiveInteger,
    )
    .option('--disable-stemmer', 'Do not stem words.')
    .option('--stopwords <file>', "Leave out the words in this file instead of the language's.")
    .option('--alpha <x>', 'Use this exponent in BM42 (default: 0.5).', finiteNumber)
    .optionsGroup('Images and multimodal:')
    .option('--auto-orient', 'Turn images as their EXIF orientation says.')
    .option('--text', 'Embed texts as queries for images (multimodal models).')
    .addHelpText('after', HELP + EXIT_HELP)
    .action(async (files: string[], flags: EmbedFlags) => {
      const plan = await planEmbed(files, flags)
      ended(await withInterrupt((signal) => runEmbed(plan, flags, signal)))
    })
}
