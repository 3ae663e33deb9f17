/**
 * Finds and loads the addon and the ONNX Runtime library, once, at the first use. A failure is one error that says
 * what was tried and what to do. It never takes a library that belongs to another package.
 */

import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { MillraceError, unwrap } from '../base/errors.js'
import { reasonOf } from '../base/foreign.js'
import { nativeRequire, resolvePlatformPackage } from './native-require.cjs'
import { packageRoot } from './package-root.js'
import { platformName, runtimeFile, thisMachine } from './platform.js'
import type { NativeAddon, NativeRuntimeInfo } from './types.js'

interface LoadedAddon {
  addon: NativeAddon
  /** The `.node` file. */
  path: string
}

let loaded: LoadedAddon | undefined
let runtime: Promise<NativeRuntimeInfo> | undefined

/**
 * The addon: the build inside this repository if there is one, else the platform's package.
 *
 * @throws MillraceError RUNTIME_INCOMPATIBLE when the platform has no build or the file does not load;
 * RUNTIME_NOT_FOUND when the platform's package is not installed.
 */
export function loadAddon(): LoadedAddon {
  loaded ??= openAddon()
  return loaded
}

function openAddon(): LoadedAddon {
  const platform = platformName(thisMachine())
  if (platform instanceof MillraceError) throw platform
  const path = addonPath(platform)
  try {
    const addon = nativeRequire(path) as NativeAddon
    // A library that is still being started on another thread would be torn down under it.
    if (isMainThread) process.once('exit', () => addon.settle())
    return { addon, path }
  } catch (cause) {
    throw new MillraceError('RUNTIME_INCOMPATIBLE', `The addon ${path} does not load: ${reasonOf(cause)}`, {
      cause,
    })
  }
}

function addonPath(platform: string): string {
  const local = join(packageRoot(), 'npm', platform, `millrace.${platform}.node`)
  if (existsSync(local)) return local
  try {
    return resolvePlatformPackage(platform)
  } catch (cause) {
    throw new MillraceError(
      'RUNTIME_NOT_FOUND',
      `The package @millrace/${platform} is not installed. It is an optional dependency: install without ` +
        '--omit=optional (npm), --no-optional (pnpm) or --ignore-optional (yarn), on the platform the program runs ' +
        `on, or add it by name: npm install @millrace/${platform}`,
      { cause },
    )
  }
}

/**
 * ONNX Runtime libraries to try, in order: `MILLRACE_ORT_PATH` alone if it is set, else our copy beside the addon.
 * Another package's library is never a candidate: it would tie us to that package's version in silence.
 */
export function runtimeCandidates(addonFile: string, env: NodeJS.ProcessEnv = process.env): string[] {
  const chosen = env['MILLRACE_ORT_PATH']
  // The library loader takes a relative path for one beside the `node` binary.
  if (chosen !== undefined && chosen !== '') return [resolve(chosen)]
  return [join(dirname(addonFile), runtimeFile(process.platform))]
}

/** The addon with ONNX Runtime loaded. A failed attempt is not remembered. */
export async function loadRuntime(): Promise<{ addon: NativeAddon; runtime: NativeRuntimeInfo }> {
  const { addon, path } = loadAddon()
  runtime ??= addon.initRuntime(runtimeCandidates(path)).then(unwrap)
  try {
    return { addon, runtime: await runtime }
  } catch (error) {
    runtime = undefined
    throw error
  }
}
