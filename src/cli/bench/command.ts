/** The command `millrace bench`: measurements on the user's own texts. What each subcommand does is in its own file. */

import type { Command } from 'commander'
import { EXIT, EXIT_HELP } from '../exit.js'
import { withInterrupt } from '../interrupt.js'
import { addDenseOptions, addModelOptions, positiveInteger } from '../model-options.js'
import { type RecallFlags, runRecall } from './recall.js'
import type { SpeedFlags } from './speed.js'
import { runSpeed } from './speed-report.js'

const SPEED_HELP = `
The command embeds the texts and reports how fast this model is on this machine: texts and tokens a second; the time of single queries, alone and
beside bulk work; the delay of the event loop meanwhile; the time to the first vector; the peak memory; and what caches save. Without a file it
takes the example texts, if this is a checkout. Close other programs first: they would take time from the measurement.

Examples:
  millrace bench speed docs.jsonl --field body --limit 2000
  millrace bench speed --model BAAI/bge-small-en-v1.5 --chart speed.svg
`

const RECALL_HELP = `
The command says what smaller formats of vectors cost on your texts. It embeds the texts, takes some of them, evenly spread, as queries, and
compares what a search in each format finds with what a search in float32 finds. recall@k is the share of the k best texts of float32 that are
found again; a query's own text does not count. Formats called "ranges" have one range for each dimension, which is taken from the texts; the others
have a scale for each vector. MiB counts the vectors alone, and ms is the median time of one search. Without a file the command takes the example
texts, if this is a checkout.

Examples:
  millrace bench recall docs.jsonl --field body
  millrace bench recall docs.txt --queries 200 -k 20 --oversample 8 --json
`

/** Adds the command; `ended` gets its exit code. */
export function benchCommand(program: Command, ended: (exitCode: number) => void): void {
  const bench = program
    .command('bench')
    .description('Measure speed and recall on your own texts.')
    .helpCommand(false)
    .addHelpText('after', EXIT_HELP)
  const speed = bench
    .command('speed')
    .description('Measure throughput, latency, memory and what caches save.')
    .argument('[file...]', 'Text files with a text a line, or JSON lines.')
    .option('--field <path>', 'Take the text from this field of a JSON record.', 'text')
    .option('--limit <n>', 'Take at most this many texts.', positiveInteger, 1000)
    .option('--rounds <n>', 'Measure bulk work this many times.', positiveInteger, 3)
    .option(
      '--seconds <n>',
      'Measure each thing for at most this long; bulk work ends its round.',
      positiveInteger,
      30,
    )
    .option('--chart <file>', 'Draw an SVG chart into this file.')
  addDenseOptions(addModelOptions(speed, 'the bundled all-MiniLM-L6-v2'))
    .option('--json', 'Print JSON.')
    .addHelpText('after', SPEED_HELP + EXIT_HELP)
    .action(async (files: string[], flags: SpeedFlags) => {
      await withInterrupt((signal) => runSpeed(files, flags, signal))
      ended(EXIT.ok)
    })
  const recall = bench
    .command('recall')
    .description('Measure how much smaller formats still find, their sizes and search times.')
    .argument('[file...]', 'Text files with a text a line, or JSON lines.')
    .option('--field <path>', 'Take the text from this field of a JSON record.', 'text')
    .option('--limit <n>', 'Take at most this many texts.', positiveInteger)
    .option('--queries <n>', 'Take this many texts as queries.', positiveInteger, 100)
    .option('-k, --top <n>', 'Look at this many results of each search.', positiveInteger, 10)
    .option('--oversample <n>', 'Rescore this many candidates for each result.', positiveInteger, 4)
  addDenseOptions(addModelOptions(recall, 'the bundled all-MiniLM-L6-v2'))
    .option('--json', 'Print JSON.')
    .addHelpText('after', RECALL_HELP + EXIT_HELP)
    .action(async (files: string[], flags: RecallFlags) => {
      await withInterrupt((signal) => runRecall(files, flags, signal))
      ended(EXIT.ok)
    })
}
