/** The command `millrace bench`: measurements on the user's own texts. What each subcommand does is in its own file. */

import type { Command } from 'commander'
import { EXIT, EXIT_HELP } from '../exit.js'
import { withInterrupt } from '../interrupt.js'
import { addDenseOptions, addModelOptions, positiveInteger } from '../model-options.js'
import { type RecallFlags, runRecall } from './recall.js'
import type { SpeedFlags } from './speed.js'
import { runSpeed } from './speed-report.js'

const SPEED_HELP = `
Embeds the texts and reports, on this machine and with this model: texts and tokens a second; single queries alone and beside bulk
work; the event loop's delay meanwhile; time to the first vector; peak memory; the effect of caches. Without FILE the example
texts are taken, if this is a checkout. Close other programs: what they take is missing here.

Examples:
  millrace bench speed docs.jsonl --field body --limit 2000
  millrace bench speed --model BAAI/bge-small-en-v1.5 --chart speed.svg
`

const HELP = `
Embeds the texts, takes some of them (evenly spread) as queries, and compares what a search of each format finds with what
float32 finds. recall@k is the share of float32's k best that are found again; a query's own text does not count. Rows named
ranges have one range a dimension, of the texts themselves; the others have a scale a vector. MiB is of the vectors alone, ms
the median time of one search. Without FILE the example texts are taken, if this is a checkout.

Examples:
  millrace bench recall docs.jsonl --field body
  millrace bench recall docs.txt --queries 200 -k 20 --oversample 8 --json
`

/** Adds the command; `ended` gets its exit code. */
export function benchCommand(program: Command, ended: (exitCode: number) => void): void {
  const bench = program
    .command('bench')
    .description('measure on your own texts')
    .helpCommand(false)
    .addHelpText('after', EXIT_HELP)
  const speed = bench
    .command('speed')
    .description('throughput, latency, memory, cache effect')
    .argument('[file...]', 'texts: a line each, or JSON lines')
    .option('--field <path>', 'field of a JSON record with the text', 'text')
    .option('--limit <n>', 'most texts', positiveInteger, 1000)
    .option('--rounds <n>', 'rounds of bulk work', positiveInteger, 3)
    .option(
      '--seconds <n>',
      'longest time of each measurement; bulk work ends its round',
      positiveInteger,
      30,
    )
    .option('--chart <file>', 'draw an SVG chart')
  addDenseOptions(addModelOptions(speed, 'the bundled all-MiniLM-L6-v2'))
    .option('--json', 'print as JSON')
    .addHelpText('after', SPEED_HELP + EXIT_HELP)
    .action(async (files: string[], flags: SpeedFlags) => {
      await withInterrupt((signal) => runSpeed(files, flags, signal))
      ended(EXIT.ok)
    })
  const recall = bench
    .command('recall')
    .description('how much of what float32 finds smaller formats find, their sizes and search times')
    .argument('[file...]', 'texts: a line each, or JSON lines')
    .option('--field <path>', 'field of a JSON record with the text', 'text')
    .option('--limit <n>', 'most texts', positiveInteger)
    .option('--queries <n>', 'how many texts are queries', positiveInteger, 100)
    .option('-k, --top <n>', 'how many a search returns', positiveInteger, 10)
    .option('--oversample <n>', 'candidates for each wanted, when rescoring', positiveInteger, 4)
  addDenseOptions(addModelOptions(recall, 'the bundled all-MiniLM-L6-v2'))
    .option('--json', 'print as JSON')
    .addHelpText('after', HELP + EXIT_HELP)
    .action(async (files: string[], flags: RecallFlags) => {
      await withInterrupt((signal) => runRecall(files, flags, signal))
      ended(EXIT.ok)
    })
}
