/**
 * Publishes the packed tarballs of one directory: platform packages and the model first, millrace last, so that it
 * never asks for something that is not there yet. A version that is already published is left alone, so a failed
 * release can be run again. Provenance and the right to publish come from the CI provider (trusted publishing).
 *
 *   node scripts/publish.mjs DIRECTORY [--dry-run]
 */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PLATFORMS } from './lib/platforms.mjs'
import { print } from './lib/print.mjs'
import { npm, outputOf, ROOT, run, SetupError, script } from './lib/run.mjs'

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

/** Every package of a release in order of publishing; all of them must be there. */
const NAMES = [...PLATFORMS.map(({ id }) => `@millrace/${id}`), '@millrace/all-minilm-l6-v2', 'millrace']

await script('publish', (args) => {
  const dry = args.includes('--dry-run')
  const [directory] = args.filter((arg) => arg !== '--dry-run')
  if (directory === undefined) throw new SetupError('usage: node scripts/publish.mjs DIRECTORY [--dry-run]')
  const packages = NAMES.map((name) => ({
    name,
    file: resolve(directory, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`),
  }))
  const missing = packages.filter(({ file }) => !existsSync(file))
  if (missing.length > 0) throw new SetupError(`not packed: ${missing.map(({ file }) => file).join(', ')}`)

  for (const { name, file } of packages) {
    if (!dry && outputOf(npm('view', `${name}@${version}`, 'version'))?.trim() === version) {
      print(`${name}@${version} is published already`)
      continue
    }
    const options = ['--access', 'public', '--ignore-scripts', dry ? '--dry-run' : '--provenance']
    if (run(npm('publish', file, ...options)) !== 0)
      throw new SetupError(`${name}@${version} was not published`)
    print(`published ${name}@${version}`)
  }
})
