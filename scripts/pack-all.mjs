/**
 * Packs what is published: millrace, the bundled model, and the platform package of this machine with an addon built
 * for publishing. millrace and the platform package are put together in .millrace/stage first, so that the sources'
 * package.json keeps what only development needs.
 *
 *   node scripts/pack-all.mjs [--out DIRECTORY] [--parts all|common|platform]
 *
 * Platform packages cannot be optional dependencies of the sources: npm refuses workspaces of another platform, and
 * the lock file would have to name packages that are not published yet. So they are added here.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { clearPackages } from './lib/packages.mjs'
import { hostPlatform, PLATFORMS, packageDirectory, packageName } from './lib/platforms.mjs'
import { print } from './lib/print.mjs'
import { npm, outputOf, ROOT, SetupError, script } from './lib/run.mjs'
import { buildPublishedAddon } from './lib/steps.mjs'

const STAGE = join(ROOT, '.millrace', 'stage')
const MODEL = join(ROOT, 'models', 'all-minilm-l6-v2')
/** Texts of the main package, packed when they are there. */
const TEXTS = ['README.md', 'CHANGELOG.md']
const PARTS = ['all', 'common', 'platform']

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'))

/** A fresh directory holding `files` of `from`; a missing one is an error. */
function stage(name, from, files) {
  const directory = join(STAGE, name)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  for (const file of files) {
    if (!existsSync(join(from, file))) throw new SetupError(`${join(from, file)} is missing`)
    cpSync(join(from, file), join(directory, file), { recursive: true })
  }
  return directory
}

/** The manifest as users get it: without what belongs to development, with every platform as an option. */
function publishedManifest(source) {
  const { scripts: _scripts, devDependencies: _dev, workspaces: _workspaces, ...manifest } = source
  const optional = Object.fromEntries(PLATFORMS.map((platform) => [packageName(platform), source.version]))
  return { ...manifest, optionalDependencies: { ...manifest.optionalDependencies, ...optional } }
}

function stageMain() {
  const directory = stage('millrace', ROOT, [
    'dist',
    'LICENSE',
    ...TEXTS.filter((name) => existsSync(join(ROOT, name))),
  ])
  const manifest = publishedManifest(readJson(join(ROOT, 'package.json')))
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  return directory
}

function stagePlatform(platform) {
  const from = packageDirectory(ROOT, platform)
  const directory = stage(platform.id, from, ['package.json', 'README.md', platform.runtime])
  copyFileSync(buildPublishedAddon(platform, print), join(directory, platform.addon))
  copyFileSync(join(ROOT, 'LICENSE'), join(directory, 'LICENSE'))
  for (const name of [
    'LICENSE-onnxruntime',
    'ThirdPartyNotices-decoders.txt',
    'ThirdPartyNotices-onnxruntime.txt',
  ]) {
    copyFileSync(join(ROOT, 'npm', name), join(directory, name))
  }
  return directory
}

/** Every package has one version, and nobody asks for another one. */
function checkVersions() {
  const main = readJson(join(ROOT, 'package.json'))
  const versions = {
    'Cargo.toml': /^version = "(.+)"$/m.exec(readFileSync(join(ROOT, 'Cargo.toml'), 'utf8'))?.[1],
    model: readJson(join(MODEL, 'package.json')).version,
    'dependency on the model': main.dependencies['@millrace/all-minilm-l6-v2'],
  }
  for (const platform of PLATFORMS) {
    versions[`npm/${platform.id}`] = readJson(join(packageDirectory(ROOT, platform), 'package.json')).version
  }
  const wrong = Object.entries(versions).filter(([, version]) => version !== main.version)
  if (wrong.length > 0) {
    throw new SetupError(
      `not of version ${main.version}: ${wrong.map((entry) => entry.join(' ')).join(', ')}`,
    )
  }
}

function pack(directory, out) {
  const output = outputOf(npm('pack', '--json', '--ignore-scripts', '--pack-destination', out, directory))
  if (output === undefined) throw new SetupError(`npm pack ${directory} failed`)
  const reply = JSON.parse(output)
  // npm answers with a list up to 11, with an object by package name from 12 on.
  const [{ filename, size, unpackedSize }] = Array.isArray(reply) ? reply : Object.values(reply)
  print(`${filename}: ${(size / 1e6).toFixed(1)} MB packed, ${(unpackedSize / 1e6).toFixed(1)} MB unpacked`)
  return filename
}

await script('pack-all', (args) => {
  const { values } = parseArgs({ args, options: { out: { type: 'string' }, parts: { type: 'string' } } })
  const parts = values.parts ?? 'all'
  if (!PARTS.includes(parts))
    throw new SetupError(`Expected --parts ${PARTS.join('|')} but received ${parts}`)
  checkVersions()
  const out = resolve(values.out ?? join(ROOT, '.millrace', 'packages'))
  clearPackages(out)
  const directories = [
    ...(parts === 'platform' ? [] : [stageMain(), MODEL]),
    ...(parts === 'common' ? [] : [stagePlatform(hostPlatform())]),
  ]
  const files = directories.map((directory) => pack(directory, out))
  writeFileSync(join(out, 'packages.json'), `${JSON.stringify(files, null, 2)}\n`)
})
