/**
 * Gets the rivals ready: npm packages from the lock file (no install scripts), Python's fastembed in a virtual environment, the
 * Rust one built. Each either gives a command, or the reason why it cannot run here.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fingerprint, isCurrent, remember } from '../../scripts/lib/fingerprint.mjs'
import { hostPlatform, packageDirectory } from '../../scripts/lib/platforms.mjs'
import { npm, outputOf, ROOT, run } from '../../scripts/lib/run.mjs'

const HERE = join(ROOT, 'benches', 'rivals')

/** Everything made here can be deleted at any time. */
const KEPT = join(ROOT, '.millrace', 'rivals')

/** Folder of the models that are not part of the repository. */
export const MODELS =
  process.env.MILLRACE_BENCH_MODELS ?? join(ROOT, '..', 'shared', 'models', 'all-MiniLM-L6-v2')

/** The library that set-up put beside the addon. */
export function runtimeLibrary() {
  const platform = hostPlatform()
  return process.env.MILLRACE_ORT_PATH ?? join(packageDirectory(ROOT, platform), platform.runtime)
}

/** Installs the npm rivals; the reason when that fails. */
export function installNode(say) {
  const inputs = ['benches/rivals/node/package.json', 'benches/rivals/node/package-lock.json']
  const print = fingerprint(inputs)
  if (existsSync(join(HERE, 'node', 'node_modules')) && isCurrent('rivals-node', print)) return undefined
  say('installing the npm rivals (no install scripts)')
  const command = npm('ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error')
  if (run(command, { cwd: join(HERE, 'node') }) !== 0) return 'npm ci failed in benches/rivals/node'
  remember('rivals-node', print)
  return undefined
}

/** A Python that has fastembed: `{ python }` or `{ reason }`. */
export function installPython(say) {
  const { MILLRACE_BENCH_PYTHON: chosen } = process.env
  if (chosen) return { python: chosen }
  const requirements = join(HERE, 'python', 'requirements.txt')
  const folder = join(KEPT, 'python')
  const windows = process.platform === 'win32'
  const python = join(folder, windows ? 'Scripts' : 'bin', windows ? 'python.exe' : 'python')
  const print = fingerprint(['benches/rivals/python/requirements.txt'])
  if (existsSync(python) && isCurrent('rivals-python', print)) return { python }
  const base = windows ? 'python' : 'python3'
  if (outputOf([base, '--version']) === undefined) return { reason: `there is no ${base}` }
  say("installing Python's fastembed into a virtual environment")
  rmSync(folder, { recursive: true, force: true })
  if (run([base, '-m', 'venv', folder]) !== 0) return { reason: `${base} -m venv failed` }
  const pip = [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]
  if (run(pip) !== 0) return { reason: 'pip install failed' }
  remember('rivals-python', print)
  return { python }
}

/** The program of the crate fastembed: `{ program }` or `{ reason }`. Cargo decides whether there is work. */
export function buildRust(say) {
  const target = join(ROOT, 'target', 'rivals')
  const name = `millrace-rival-fastembed${process.platform === 'win32' ? '.exe' : ''}`
  const program = join(target, 'release', name)
  if (!existsSync(program)) say('building the crate fastembed (some minutes the first time)')
  const manifest = join(HERE, 'fastembed-rs', 'Cargo.toml')
  const command = ['cargo', 'build', '--quiet', '--release', '--locked', '--manifest-path', manifest]
  if (run([...command, '--target-dir', target]) !== 0) return { reason: 'cargo build failed' }
  return { program }
}

/** The model in the layout of transformers.js: `{ root, name }`. */
export function layOutForTransformers() {
  const root = join(KEPT, 'transformers')
  const name = 'all-MiniLM-L6-v2'
  const folder = join(root, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'onnx'), { recursive: true })
  // Windows gives links to administrators only.
  const place = process.platform === 'win32' ? copyFileSync : symlinkSync
  for (const file of readdirSync(MODELS))
    if (file.endsWith('.json')) place(join(MODELS, file), join(folder, file))
  for (const [from, to] of [
    ['model.onnx', 'model.onnx'],
    ['model_int8.onnx', 'model_quantized.onnx'],
  ]) {
    if (existsSync(join(MODELS, from))) place(join(MODELS, from), join(folder, 'onnx', to))
  }
  return { root, name }
}
