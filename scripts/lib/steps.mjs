/** The steps of set-up, each of which does nothing when its result is already there. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { takeRuntimeLibrary } from '../runtime-library.mjs'
import { fingerprint, isCurrent, remember } from './fingerprint.mjs'
import { oldGlibcEnvironment } from './old-glibc.mjs'
import { packageDirectory } from './platforms.mjs'
import { npm, ROOT, run, SetupError } from './run.mjs'

const readJson = (path) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'))

/** Whether node_modules is what package-lock.json describes, by npm's own record of what it installed. */
function dependenciesCurrent() {
  const record = 'node_modules/.package-lock.json'
  if (!existsSync(join(ROOT, record))) return false
  const wanted = readJson('package-lock.json').packages
  const installed = readJson(record).packages
  return Object.entries(wanted).every(([path, entry]) => {
    // The root and workspaces are not installed; optional ones (other platforms) need not be.
    if (!path.includes('node_modules/') || (entry.optional && installed[path] === undefined)) return true
    return (
      installed[path]?.version === entry.version &&
      installed[path]?.resolved === entry.resolved &&
      existsSync(join(ROOT, path))
    )
  })
}

/**
 * Installs what package-lock.json names. Not `npm ci`: it insists on entries for every platform's optional packages,
 * and a lock file written behind a registry that lacks some of them has none. The versions are the same.
 */
export function installDependencies(say) {
  if (dependenciesCurrent()) return
  say('installing development dependencies (no install scripts)')
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  if (run(npm('install', ...options)) !== 0) {
    throw new SetupError(
      'npm install failed',
      'see its message above; the npm registry must be reachable the first time',
    )
  }
}

/** Where the derive macro writes the addon's type definitions; a build without it would leave them out. */
const TYPES = join(ROOT, 'target', 'napi-types')

/** Environment of every cargo run of ours, the same each time, so that nothing is built twice for its sake. */
export function cargoEnvironment() {
  return { NAPI_TYPE_DEF_TMP_FOLDER: TYPES }
}

/** Replaces `target` in one step: a running process may have the old file mapped. */
function replaceFile(source, target) {
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(source, `${target}.partial`)
  renameSync(`${target}.partial`, target)
}

function cargoBuild(args, env, say, built) {
  if (!existsSync(built)) say('building the Rust addon (the first time takes some minutes)')
  if (run(['cargo', 'build', '--quiet', '-p', 'millrace-node', ...args], { env }) !== 0) {
    throw new SetupError('cargo build failed', 'see its message above; crates are downloaded the first time')
  }
}

/** Builds the addon for this machine and copies it into the platform's package. */
export function buildAddon(platform, say) {
  mkdirSync(TYPES, { recursive: true })
  const env = cargoEnvironment()
  // Cargo does not know that the definitions are an output; without them the crate is built once more.
  if (!existsSync(join(TYPES, 'millrace-node'))) env.NAPI_FORCE_BUILD_MILLRACE_NODE = String(Date.now())
  const built = join(ROOT, 'target', 'release', platform.cdylib)
  cargoBuild(['--release'], env, say, built)
  const target = join(packageDirectory(ROOT, platform), platform.addon)
  if (existsSync(target) && readFileSync(target).equals(readFileSync(built))) return
  replaceFile(built, target)
  say(`addon: ${platform.addon}`)
}

/** Builds the addon as it is published: optimised as a whole, on Linux against an old glibc. Returns its path. */
export function buildPublishedAddon(platform, say) {
  const old = platform.os === 'linux' ? oldGlibcEnvironment(platform.target) : {}
  const built = join(ROOT, 'target', platform.target, 'dist', platform.cdylib)
  cargoBuild(
    ['--profile', 'dist', '--target', platform.target],
    { ...cargoEnvironment(), ...old },
    say,
    built,
  )
  return built
}

/**
 * Writes src/binding/generated.d.ts, the addon's surface as its Rust source declares it. Clippy compiles the crate
 * twice at once and both write definitions, so each line counts once.
 */
export async function writeBindingTypes(say) {
  const { generateTypeDef } = await import('@napi-rs/cli')
  const unique = join(ROOT, '.millrace', 'napi-types')
  mkdirSync(unique, { recursive: true })
  const lines = readFileSync(join(TYPES, 'millrace-node'), 'utf8').split('\n')
  writeFileSync(join(unique, 'millrace-node'), [...new Set(lines)].join('\n'))
  const { dts } = await generateTypeDef({
    typeDefDir: unique,
    cwd: ROOT,
    dtsHeader: '// Generated from crates/node by set-up; do not edit. Import from types.ts, not from here.\n',
  })
  const target = join(ROOT, 'src', 'binding', 'generated.d.ts')
  if (existsSync(target) && readFileSync(target, 'utf8') === dts) return
  writeFileSync(target, dts)
  say('binding types: src/binding/generated.d.ts')
}

export function takeRuntime(platform, say) {
  const { version, written } = takeRuntimeLibrary(platform)
  if (written) say(`runtime library: ${platform.runtime} (ONNX Runtime ${version})`)
}

const TYPESCRIPT_INPUTS = [
  'index.ts',
  'src',
  'tsconfig.json',
  'package.json',
  'package-lock.json',
  'scripts/build-ts.mjs',
]

export function buildTypeScript(say) {
  const print = fingerprint(TYPESCRIPT_INPUTS)
  if (isCurrent('typescript', print) && existsSync(join(ROOT, 'dist'))) return
  say('building TypeScript')
  if (run([process.execPath, join(ROOT, 'scripts', 'build-ts.mjs')]) !== 0) {
    throw new SetupError('the TypeScript build failed', 'see its message above')
  }
  remember('typescript', print)
}
