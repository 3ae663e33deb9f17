/** The package's version, read from its manifest: a CommonJS file, because both builds must know where they lie. */

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Version in the package.json nearest above this file that is millrace's own. */
export function packageVersion(): string {
  for (let folder = __dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (!existsSync(manifest)) continue
    // dist/cjs holds a package.json of its own that says only `"type"`.
    const { name, version } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      name?: string
      version?: string
    }
    if (name === 'millrace' && version !== undefined) return version
  }
  return 'unknown'
}
