/**
 * Other versions of Node, from the npm packages that carry the plain binary, kept in .millrace/nodes. The floor is
 * what package.json's `engines` promises; the others are one release of each line users run.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { npm, ROOT, run, SetupError } from './run.mjs'

export const NODE_VERSIONS = ['20.17.0', '22.23.3', '24.21.0', '26.10.0']

/** Path of the binary of `version`, installed if need be. */
export function nodeBinary(version) {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const name = `node-${platform}-${process.arch}`
  const home = join(ROOT, '.millrace', 'nodes', version)
  const binary = join(home, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(binary)) return binary
  mkdirSync(home, { recursive: true })
  const options = [
    '--prefix',
    home,
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  if (run(npm('install', ...options, `${name}@${version}`)) !== 0 || !existsSync(binary)) {
    throw new SetupError(
      `Node ${version} could not be installed`,
      'the npm registry must be reachable the first time',
    )
  }
  return binary
}
