/**
 * `import()` of a package that may not be there. A CommonJS file, the same in both builds: the CommonJS build would turn
 * `import()` into `require`, which older versions of Node refuse for ES modules.
 */

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The package as this file would import it. */
export function importHere(name: string): Promise<unknown> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name)
}

/** The package as a file in the working directory would import it: where package managers keep this package apart from it. */
export function importFromWorkingDirectory(name: string): Promise<unknown> {
  const { resolve } = createRequire(join(process.cwd(), 'package.json'))
  return import(/* webpackIgnore: true */ /* @vite-ignore */ pathToFileURL(resolve(name)).href)
}

/** What the package `of`, a CommonJS one, gets when it requires `name`: the same instance, of the version it wants. */
export function requireAs(of: string, name: string): unknown {
  let place: string
  try {
    place = createRequire(__filename).resolve(of)
  } catch {
    place = createRequire(join(process.cwd(), 'package.json')).resolve(of)
  }
  return createRequire(place)(name)
}
