/** Packages that are used where they are installed, and said to be missing where they are not. None is a dependency. */

import { MillraceError } from '../base/errors.js'
import { codeOf, reasonOf } from '../base/foreign.js'
import { importFromWorkingDirectory, importHere, requireAs } from './import.cjs'

/**
 * The package `name`, which `user` (for people: `The sink pgvector`) needs. `range` is what to install.
 *
 * @throws MillraceError PACKAGE_NOT_FOUND where it is not installed or cannot be loaded, with the reason as `cause`.
 */
export async function importPeer<T>(name: string, range: string, user: string): Promise<T> {
  try {
    return (await importHere(name).catch((cause: unknown) => {
      if (!isMissing(cause)) throw cause
      return importFromWorkingDirectory(name)
    })) as T
  } catch (cause) {
    throw missing(name, range, user, cause)
  }
}

/**
 * The package `name` as the package `of` has it, where both must be one instance.
 *
 * @throws MillraceError PACKAGE_NOT_FOUND, as {@link importPeer}.
 */
export function peerOf<T>(of: string, name: string, range: string, user: string): T {
  try {
    return requireAs(of, name) as T
  } catch (cause) {
    throw missing(name, range, user, cause)
  }
}

function missing(name: string, range: string, user: string, cause: unknown): MillraceError {
  const why = isMissing(cause) ? '' : `, which could not be loaded: ${reasonOf(cause)}`
  return new MillraceError(
    'PACKAGE_NOT_FOUND',
    `${user} needs the package '${name}'${why}; install it with: npm install ${name}@${range}`,
    { cause },
  )
}

function isMissing(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
}
