/**
 * The CommonJS file that finds packages of native code and data, the same in both builds: an addon is loaded with `require`, and a file's
 * own place is known here without `import.meta`. Which addon to load is decided in `load.ts`.
 *
 * Bundlers and file tracers read this file. They look for literal names in `require.resolve`, so every file that a deployed program needs is
 * named here in full; each name stands in a `try` of its own, because bundlers make an error of a name that is not installed
 * elsewhere, and three of the four platforms never are. In an ES module that a bundler wrote, neither `require` nor `__dirname` need
 * exist: nothing here may fail at import without them.
 */

import { dirname, isAbsolute, join } from 'node:path'

/** A file of the program from which packages can be found, where a bundler took ours away. */
function programFile(): string {
  const { argv } = process
  return argv[1] !== undefined && isAbsolute(argv[1]) ? argv[1] : join(process.cwd(), 'package.json')
}

/** A `require` that bundlers neither replace nor analyse, with the resolution of `file`. */
function requireFrom(file: string): NodeJS.Require {
  // Where there is another way, not `require`: what bundlers make of it in an ES module throws.
  const { createRequire } = process.getBuiltinModule?.('node:module') ?? require('node:module')
  return createRequire(file)
}

/** `require` with this file's resolution; with that of the program's main file where a bundler made one of both. */
function realRequire(): NodeJS.Require {
  try {
    return requireFrom(__filename)
  } catch {
    return requireFrom(programFile())
  }
}

export const nativeRequire: NodeJS.Require = realRequire()

/** The folder of this file; of the program's main file where a bundler made one of both. */
export const moduleDirectory: string = typeof __dirname === 'string' ? __dirname : dirname(programFile())

/** Webpack and rspack replace this by a constant, and then leave out the branch that they cannot take. */
declare const __webpack_require__: unknown

/** The addon file of an installed platform package. Throws as `require.resolve` does when it is not installed. */
export function resolvePlatformPackage(platform: string): string {
  return resolveOutside(`@millrace/${platform}`, platformFiles()[platform])
}

/** The package.json of an installed model package. Throws as `require.resolve` does when it is not installed. */
export function resolveModelPackage(name: string): string {
  return resolveOutside(`${name}/package.json`, bundledModelFiles()[name])
}

/** The file that was found, unless what a bundler made of its name is no path; then it is looked for beside the program. */
function resolveOutside(name: string, found: unknown): string {
  if (typeof found === 'string' && isAbsolute(found)) return found
  try {
    return nativeRequire.resolve(name)
  } catch (error) {
    try {
      return requireFrom(programFile()).resolve(name)
    } catch {
      throw error
    }
  }
}

/** The addons that are installed, by platform. The libraries beside them are named for file tracers only. */
function platformFiles(): Record<string, unknown> {
  const files: Record<string, unknown> = {}
  if (typeof __webpack_require__ !== 'undefined') return files
  try {
    files['linux-x64-gnu'] = require.resolve('@millrace/linux-x64-gnu')
    require.resolve('@millrace/linux-x64-gnu/libmillrace_ort.so')
  } catch {}
  try {
    files['linux-arm64-gnu'] = require.resolve('@millrace/linux-arm64-gnu')
    require.resolve('@millrace/linux-arm64-gnu/libmillrace_ort.so')
  } catch {}
  try {
    files['darwin-arm64'] = require.resolve('@millrace/darwin-arm64')
    require.resolve('@millrace/darwin-arm64/libmillrace_ort.dylib')
  } catch {}
  try {
    files['win32-x64-msvc'] = require.resolve('@millrace/win32-x64-msvc')
    require.resolve('@millrace/win32-x64-msvc/millrace_ort.dll')
  } catch {}
  return files
}

/** The manifest of the model that comes with the package. Its other files are named for file tracers only. */
function bundledModelFiles(): Record<string, unknown> {
  const files: Record<string, unknown> = {}
  if (typeof __webpack_require__ !== 'undefined') return files
  try {
    files['@millrace/all-minilm-l6-v2'] = require.resolve('@millrace/all-minilm-l6-v2/package.json')
    require.resolve('@millrace/all-minilm-l6-v2/model_w8.onnx')
    require.resolve('@millrace/all-minilm-l6-v2/tokenizer.json')
    require.resolve('@millrace/all-minilm-l6-v2/tokenizer_config.json')
    require.resolve('@millrace/all-minilm-l6-v2/special_tokens_map.json')
    require.resolve('@millrace/all-minilm-l6-v2/config.json')
    require.resolve('@millrace/all-minilm-l6-v2/modules.json')
    require.resolve('@millrace/all-minilm-l6-v2/sentence_bert_config.json')
    require.resolve('@millrace/all-minilm-l6-v2/1_Pooling/config.json')
  } catch {}
  return files
}
