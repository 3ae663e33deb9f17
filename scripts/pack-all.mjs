/**
 * Packs what is published: millrace, the bundled model, and the platform packages whose addon is there. Each is put
 * together in .millrace/stage first, so that the sources' package.json keeps what only development needs.
 *
 *   node scripts/pack-all.mjs [--out DIRECTORY] [--profile CARGO_PROFILE] [--require PLATFORM_ID,...|all]
 *
 * Platform packages cannot be optional dependencies of the sources: npm refuses workspaces of another platform, and
 * the lock file would have to name packages that are not published yet. So they are added here.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { hostPlatform, PLATFORMS, packageDirectory, packageName } from './lib/platforms.mjs'
import { print } from './lib/print.mjs'
import { npm, outputOf, ROOT, run, SetupError, script } from './lib/run.mjs'

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'))
const STAGE = join(ROOT, '.millrace', 'stage')

/** A fresh directory holding `files` of `from`; a missing one is an error. */
function stage(name, from, files) {
  const directory = join(STAGE, name)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  for (const file of files) {
    if (!existsSync(join(from, file)))
      throw new SetupError(`${join(from, file)} is missing`, 'run: npm run setup')
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
  const directory = stage('millrace', ROOT, ['dist', 'LICENSE', 'README.md', 'CHANGELOG.md'])
  const manifest = publishedManifest(readJson(join(ROOT, 'package.json')))
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  return directory
}

function stagePlatform(platform) {
  const from = packageDirectory(ROOT, platform)
  const directory = stage(platform.id, from, ['package.json', 'README.md', platform.addon, platform.runtime])
  copyFileSync(join(ROOT, 'LICENSE'), join(directory, 'LICENSE'))
  for (const name of ['LICENSE-onnxruntime', 'ThirdPartyNotices-onnxruntime.txt']) {
    copyFileSync(join(ROOT, 'npm', name), join(directory, name))
  }
  // Line tables help our own stack traces; users should not download them.
  if (platform.os === 'linux') {
    if (run(['strip', '--strip-unneeded', join(directory, platform.addon)]) !== 0) {
      throw new SetupError(`strip failed on ${platform.addon}`, 'install binutils')
    }
  }
  return directory
}

/** Every package has one version, and nobody asks for another one. */
function checkVersions() {
  const main = readJson(join(ROOT, 'package.json'))
  const cargo = /^version = "(.+)"$/m.exec(readFileSync(join(ROOT, 'Cargo.toml'), 'utf8'))?.[1]
  const versions = { 'package.json': main.version, 'Cargo.toml': cargo }
  for (const platform of PLATFORMS) {
    const file = join(packageDirectory(ROOT, platform), 'package.json')
    versions[`npm/${platform.id}`] = readJson(file).version
  }
  versions['models/all-minilm-l6-v2'] = readJson(
    join(ROOT, 'models', 'all-minilm-l6-v2', 'package.json'),
  ).version
  versions['dependency on the model'] = main.dependencies['@millrace/all-minilm-l6-v2']
  const wrong = Object.entries(versions).filter(([, version]) => version !== main.version)
  if (wrong.length > 0) {
    throw new SetupError(
      `versions differ: ${wrong.map((entry) => entry.join(' ')).join(', ')}, not ${main.version}`,
    )
  }
}

function pack(directory, out) {
  const output = outputOf(npm('pack', '--json', '--ignore-scripts', '--pack-destination', out, directory))
  if (output === undefined) throw new SetupError(`npm pack ${directory} failed`)
  const reply = JSON.parse(output)
  // npm 10 and 11 answer with a list, npm 12 with an object by package name.
  const [{ filename, size, unpackedSize }] = Array.isArray(reply) ? reply : Object.values(reply)
  print(`${filename}: ${(size / 1e6).toFixed(1)} MB packed, ${(unpackedSize / 1e6).toFixed(1)} MB unpacked`)
  return filename
}

await script('pack-all', async (args) => {
  const { values } = parseArgs({
    args,
    options: { out: { type: 'string' }, profile: { type: 'string' }, require: { type: 'string' } },
  })
  checkVersions()
  const out = resolve(values.out ?? join(ROOT, '.millrace', 'packages'))
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  if (values.profile !== undefined) {
    const { buildAddon } = await import('./lib/steps.mjs')
    buildAddon(hostPlatform(), print, { profile: values.profile })
  }
  const built = PLATFORMS.filter((platform) =>
    existsSync(join(packageDirectory(ROOT, platform), platform.addon)),
  )
  const wanted = values.require === 'all' ? PLATFORMS.map((p) => p.id) : (values.require?.split(',') ?? [])
  const missing = wanted.filter((id) => !built.some((platform) => platform.id === id))
  if (missing.length > 0) throw new SetupError(`no addon for ${missing.join(', ')}`)
  if (built.length === 0) throw new SetupError('no platform package has its addon', 'run: npm run setup')

  const directories = [stageMain(), join(ROOT, 'models', 'all-minilm-l6-v2'), ...built.map(stagePlatform)]
  const files = directories.map((directory) => pack(directory, out))
  writeFileSync(join(out, 'packages.json'), `${JSON.stringify(files, null, 2)}\n`)
})
