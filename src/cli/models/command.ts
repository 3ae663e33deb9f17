/** The command `millrace models`: the models kept on this machine. What each subcommand does is in its own file. */

import type { Command } from 'commander'
import { EXIT, EXIT_HELP } from '../exit.js'
import { withInterrupt } from '../interrupt.js'
import { type CacheFlags, list, type PruneFlags, path, prune, type VerifyFlags, verify } from './cache.js'
import { type Catalog, supportedModels } from './catalog.js'
import { type PullFlags, pull } from './pull.js'

const HELP = `
The command looks after the models that are kept on this machine. They are kept in the hub's own cache, which other programs share: the directory
of --cache-dir, else FASTEMBED_CACHE_PATH, HF_HUB_CACHE, HF_HOME/hub or ~/.cache/huggingface/hub. HF_ENDPOINT, HF_TOKEN, HTTPS_PROXY,
NO_PROXY and HF_HUB_OFFLINE are honoured. The name of a supported model stands for its repository and the files that it needs; with
--model-file, --file or --revision a name is a repository of the hub.

Examples:
  Download a supported model, and use it:
    millrace models pull BAAI/bge-small-en-v1.5
    millrace embed texts.txt --model BAAI/bge-small-en-v1.5 -o vectors.npy
  Download any repository with an ONNX file, and use its directory:
    millrace models pull Xenova/e5-small-v2 --model-file onnx/model_quantized.onnx
    millrace embed texts.txt --model-path "$(millrace models path Xenova/e5-small-v2)" -o vectors.npy
  See what is there, and whether it is undamaged:
    millrace models list
    millrace models verify
`

/**
 * Adds the command; `ended` gets its exit code. `catalog` knows the files of models that can be named without saying
 * which files they need.
 */
export function modelsCommand(
  program: Command,
  ended: (exitCode: number) => void,
  catalog: Catalog = supportedModels,
): void {
  const models = program
    .command('models')
    .description('Download, list, verify and prune the models on this machine.')
    .helpCommand(false)
    .addHelpText('after', HELP + EXIT_HELP)
  const sub = (nameAndArguments: string, description: string, example: string) =>
    models
      .command(nameAndArguments)
      .description(description)
      .addHelpText('after', `\nExample:\n  millrace models ${example}`)
      .option('--cache-dir <dir>', 'Keep models in this directory.')

  sub('list', 'List what is in the cache.', 'list --json')
    .option('--json', 'Print JSON.')
    .action(async (flags: CacheFlags) => {
      await list(flags)
      ended(EXIT.ok)
    })
  sub(
    'pull <model...>',
    'Download models, or bring them up to date, and print their directories.',
    'pull BAAI/bge-small-en-v1.5',
  )
    .option('--revision <name>', 'Take this branch, tag or commit (default: main).')
    .option('--model-file <file>', 'Take this ONNX file (default: onnx/model.onnx).')
    .option('--file <path>', 'Take this file and no others. May be given several times.', append)
    .option('--endpoint <url>', 'Download from this address (default: HF_ENDPOINT or the public hub).')
    .option('-q, --quiet', 'Show no progress.')
    .action(async (repos: string[], flags: PullFlags) => {
      await withInterrupt((signal) => pull(repos, flags, catalog, signal))
      ended(EXIT.ok)
    })
  sub('verify [repo...]', 'Read every file and compare it with its hash.', 'verify BAAI/bge-small-en-v1.5')
    .option('--json', 'Print JSON.')
    .action(async (repos: string[], flags: VerifyFlags) => {
      ended((await withInterrupt((signal) => verify(repos, flags, signal))) ? EXIT.ok : EXIT.failure)
    })
  sub('prune [repo...]', 'Remove unfinished downloads and files that nothing uses.', 'prune --dry-run')
    .option('--detached', 'Remove revisions too that no branch or tag names, pinned commits among them.')
    .option('--dry-run', 'Only say what would be removed.')
    .option('--json', 'Print JSON.')
    .action(async (repos: string[], flags: PruneFlags) => {
      await prune(repos, flags)
      ended(EXIT.ok)
    })
  sub(
    'path [model]',
    'Print the directory of a model, or of the cache. Nothing is downloaded.',
    'path BAAI/bge-small-en-v1.5',
  )
    .option('--revision <name>', 'Take this branch, tag or commit (default: main).')
    .action(async (repo: string | undefined, flags: CacheFlags & { revision?: string }) => {
      await path(repo, flags, catalog)
      ended(EXIT.ok)
    })
}

function append(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}
