/**
 * Takes ONNX Runtime's library out of the development dependency onnxruntime-node and puts it beside the addon under
 * our own name, so that millrace and any other user of ONNX Runtime can share a process. Nothing is downloaded.
 *
 *   node scripts/runtime-library.mjs [PLATFORM_ID | all]      default: this machine's platform
 */

import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readSoname, withSoname } from './elf-soname.mjs'
import { hostPlatform, PLATFORMS, packageDirectory } from './lib/platforms.mjs'
import { complain, print } from './lib/print.mjs'
import { ROOT, SetupError } from './lib/run.mjs'

/** Directory of onnxruntime-node's libraries for all platforms. */
export const ORT_PACKAGE = join(ROOT, 'node_modules', 'onnxruntime-node')

/** What was taken, so that a second run has nothing to do: the package's version and the source's size. */
const stamp = (source, version) => `${version} ${statSync(source).size}\n`

/** Writes the runtime library of `platform` into its package. Returns its path and whether anything was written. */
export function takeRuntimeLibrary(platform, { root = ROOT } = {}) {
  const manifest = join(ORT_PACKAGE, 'package.json')
  if (!existsSync(manifest)) throw new SetupError('onnxruntime-node is not installed', 'run: npm run setup')
  const { version } = JSON.parse(readFileSync(manifest, 'utf8'))
  const source = join(ORT_PACKAGE, 'bin', 'napi-v6', platform.onnxruntime)
  if (!existsSync(source)) throw new SetupError(`onnxruntime-node ${version} has no ${platform.onnxruntime}`)

  const directory = packageDirectory(root, platform)
  const target = join(directory, platform.runtime)
  const stampFile = join(root, '.millrace', `runtime-${platform.id}`)
  if (
    existsSync(target) &&
    existsSync(stampFile) &&
    readFileSync(stampFile, 'utf8') === stamp(source, version)
  ) {
    return { path: target, version, written: false }
  }
  mkdirSync(directory, { recursive: true })
  mkdirSync(dirname(stampFile), { recursive: true })
  // A library that is mapped by a running process must not be overwritten in place, and a reader never sees half.
  const partial = `${target}.partial`
  if (platform.os === 'linux')
    writeFileSync(partial, withSoname(readFileSync(source), platform.runtime), { mode: 0o755 })
  else copyFileSync(source, partial)
  if (platform.os === 'darwin') renameDylib(partial, platform)
  renameSync(partial, target)
  if (platform.os === 'linux' && readSoname(readFileSync(target)) !== platform.runtime) {
    throw new Error(`${target} did not get its SONAME`)
  }
  writeFileSync(stampFile, stamp(source, version))
  return { path: target, version, written: true }
}

/** macOS knows libraries by install name; changing it breaks the signature, so it is signed again (ad hoc). */
function renameDylib(file, platform) {
  if (process.platform !== 'darwin') {
    throw new SetupError(`${platform.runtime} needs install_name_tool and codesign, which only macOS has`)
  }
  for (const [tool, ...args] of [
    ['install_name_tool', '-id', `@rpath/${platform.runtime}`, file],
    ['codesign', '--force', '--sign', '-', file],
  ]) {
    const { status, error, stderr } = spawnSync(tool, args, { encoding: 'utf8' })
    if (error !== undefined || status !== 0) {
      throw new SetupError(
        `${tool} failed: ${error?.message ?? stderr.trim()}`,
        'run: xcode-select --install',
      )
    }
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const wanted = process.argv[2]
    const platforms =
      wanted === undefined
        ? [hostPlatform()]
        : PLATFORMS.filter(
            (p) =>
              wanted === p.id || (wanted === 'all' && (p.os !== 'darwin' || process.platform === 'darwin')),
          )
    if (platforms.length === 0)
      throw new Error(`Expected one of ${PLATFORMS.map((p) => p.id).join(', ')} but received ${wanted}`)
    for (const platform of platforms) {
      const { path, version, written } = takeRuntimeLibrary(platform)
      print(`${written ? 'wrote' : 'kept'} ${path} (ONNX Runtime ${version})`)
    }
  } catch (error) {
    complain(`runtime-library: ${error.message}`)
    process.exit(1)
  }
}
