/**
 * A C toolchain whose glibc is older than the machine's, so that what is published loads on every system the README
 * promises (2.28). It comes from npm, is kept in .millrace/toolchain, and only packaging uses it.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { npm, outputOf, ROOT, run, SetupError } from './run.mjs'

/** gcc 4.8 with glibc 2.17, by the napi-rs project: by host, then by target. */
const TOOLCHAINS = {
  'x64 x86_64-unknown-linux-gnu': '@napi-rs/cross-toolchain-x64-target-x86_64@1.0.0',
  'x64 aarch64-unknown-linux-gnu': '@napi-rs/cross-toolchain-x64-target-aarch64@1.0.0',
  'arm64 aarch64-unknown-linux-gnu': '@napi-rs/cross-toolchain-arm64-target-aarch64@1.0.0',
}

function unpack(spec, directory) {
  const partial = `${directory}.partial`
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  const packed = outputOf(npm('pack', '--silent', '--ignore-scripts', '--pack-destination', partial, spec))
  if (packed === undefined)
    throw new SetupError(`${spec} could not be fetched`, 'the npm registry must be reachable')
  const name = packed.trim().split('\n').at(-1)
  if (run(['tar', '-xzf', join(partial, name), '-C', partial]) !== 0)
    throw new SetupError(`${name} did not unpack`)
  rmSync(join(partial, name))
  const archive = outputOf(['find', join(partial, 'package'), '-name', '*.tar.xz'])?.trim()
  if (!archive || run(['tar', '-xJf', archive, '-C', partial]) !== 0) {
    throw new SetupError(`${spec} did not unpack`, 'install xz-utils')
  }
  rmSync(join(partial, 'package'), { recursive: true })
  renameSync(partial, directory)
}

/** Environment for cargo that compiles and links `target` against the old glibc. */
export function oldGlibcEnvironment(target) {
  const spec = TOOLCHAINS[`${process.arch} ${target}`]
  if (spec === undefined) throw new SetupError(`there is no toolchain for ${target} on ${process.arch}`)
  const directory = join(ROOT, '.millrace', 'toolchain', target)
  if (!existsSync(directory)) unpack(spec, directory)
  const tool = (name) => join(directory, 'bin', `${target}-${name}`)
  const snake = target.replaceAll('-', '_')
  return {
    [`CC_${snake}`]: tool('gcc'),
    [`AR_${snake}`]: tool('ar'),
    [`CARGO_TARGET_${snake.toUpperCase()}_LINKER`]: tool('gcc'),
  }
}
