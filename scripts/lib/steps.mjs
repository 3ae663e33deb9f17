/** The steps of set-up, each of which does nothing when its result is already there. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { takeRuntimeLibrary } from '../runtime-library.mjs'
import { fingerprint, isCurrent, remember } from './fingerprint.mjs'
import { packageDirectory } from './platforms.mjs'
import { npm, ROOT, run, SetupError } from './run.mjs'

const readJson = (path) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'))

/** Whether node_modules is what package-lock.json describes, by npm's own record of what it installed. */
export function dependenciesCurrent() {
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

export function installDependencies(say) {
  if (dependenciesCurrent()) return
  say('installing development dependencies (npm ci, no install scripts)')
  if (run(npm('ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error')) !== 0) {
    throw new SetupError(
      'npm ci failed',
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

/** Builds the addon and copies it into this platform's package. `profile` is a Cargo profile. */
export function buildAddon(platform, say, { profile = 'release' } = {}) {
  mkdirSync(TYPES, { recursive: true })
  const env = cargoEnvironment()
  // Cargo does not know that the definitions are an output; without them the crate is built once more.
  if (!existsSync(join(TYPES, 'millrace-node'))) env.NAPI_FORCE_BUILD_MILLRACE_NODE = String(Date.now())
  const built = join(ROOT, 'target', profile, platform.cdylib)
  if (!existsSync(built)) say('building the Rust addon (the first time takes some minutes)')
  if (run(['cargo', 'build', '--quiet', '--profile', profile, '-p', 'millrace-node'], { env }) !== 0) {
    throw new SetupError('cargo build failed', 'see its message above; crates are downloaded the first time')
  }
  const target = join(packageDirectory(ROOT, platform), platform.addon)
  if (existsSync(target) && readFileSync(target).equals(readFileSync(built))) return
  mkdirSync(packageDirectory(ROOT, platform), { recursive: true })
  // Never write into a library that a running process has mapped.
  copyFileSync(built, `${target}.partial`)
  renameSync(`${target}.partial`, target)
  say(`addon: ${platform.addon}`)
}

/** Writes src/binding/generated.d.ts, the addon's surface as its Rust source declares it. */
export async function writeBindingTypes(say) {
  const { generateTypeDef } = await import('@napi-rs/cli')
  const { dts } = await generateTypeDef({
    typeDefDir: TYPES,
    cwd: ROOT,
    dtsHeader:
      '// Generated from crates/node by set-up; do not edit. The interface to code against is types.ts.\n',
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
