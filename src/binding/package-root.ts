/** Where this package lies: the same answer from the sources and from either build. */

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { MillraceError } from '../base/errors.js'
import { moduleDirectory } from './native-require.cjs'

let root: string | undefined

/** The folder of the package's `package.json`. */
export function packageRoot(): string {
  root ??= findRoot(moduleDirectory)
  return root
}

function findRoot(start: string): string {
  let folder = start
  while (!isRoot(folder)) {
    const parent = dirname(folder)
    // A bundler moved this file out of the package: no local build to find, and the packages resolve from here.
    if (parent === folder) return start
    folder = parent
  }
  return folder
}

function isRoot(folder: string): boolean {
  const manifest = join(folder, 'package.json')
  return existsSync(manifest) && readManifest(manifest).name === 'millrace'
}

function readManifest(path: string): { name?: unknown } {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as { name?: unknown }
  } catch (cause) {
    throw new MillraceError('INTERNAL', `Cannot read ${path}`, { cause })
  }
}
