/** What the machine itself must have, checked before anything is built: Node, a platform we know, Rust, a C compiler. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hostPlatform } from './platforms.mjs'
import { outputOf, ROOT, SetupError } from './run.mjs'

/** Whether version `have` is at least `want`; missing parts are 0. */
export function atLeast(have, want) {
  const parts = (version) => version.split('.').map((part) => Number.parseInt(part, 10) || 0)
  const [a, b] = [parts(have), parts(want)]
  for (let i = 0; i < 3; i++) {
    if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) > (b[i] ?? 0)
  }
  return true
}

export function requireNode() {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const wanted = engines.node.replace(/^>=/, '')
  if (!atLeast(process.versions.node, wanted)) {
    throw new SetupError(`Node ${process.versions.node} is too old`, `install Node ${wanted} or newer`)
  }
}

export function requirePlatform() {
  try {
    return hostPlatform()
  } catch (error) {
    throw new SetupError(error.message)
  }
}

export function requireRust() {
  const wanted =
    /^rust-version = "([\d.]+)"/m.exec(readFileSync(join(ROOT, 'Cargo.toml'), 'utf8'))?.[1] ?? '0'
  const found = /^rustc ([\d.]+)/.exec(outputOf(['rustc', '--version']) ?? '')?.[1]
  if (found === undefined || outputOf(['cargo', '--version']) === undefined) {
    throw new SetupError(
      'Rust is missing: cargo and rustc were not found',
      'install it from https://rustup.rs and open a new shell',
    )
  }
  if (!atLeast(found, wanted))
    throw new SetupError(`Rust ${found} is too old, ${wanted} is needed`, 'run: rustup update stable')
}

/** The regular expressions of tokenizers are C, and Rust needs a linker. MSVC is found by cargo itself. */
export function requireCompiler() {
  if (process.platform === 'win32') return
  const compiler = process.env.CC ?? 'cc'
  if (outputOf([compiler, '--version']) !== undefined) return
  const remedy =
    process.platform === 'darwin'
      ? 'run: xcode-select --install'
      : 'install one, for example: apt-get install build-essential (Debian, Ubuntu) or dnf install gcc (Fedora)'
  throw new SetupError(`No C compiler: ${compiler} was not found`, remedy)
}
