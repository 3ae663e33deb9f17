/** Where a store is: by an address or path, or by a client that the caller has. */

import { MillraceError } from '../../../base/errors.js'

/**
 * Checks that exactly one of two options is given. The values are not shown: an address may carry a password.
 *
 * @throws MillraceError INVALID_OPTION.
 */
export function requireOne<T extends object>(
  options: T,
  first: keyof T & string,
  second: keyof T & string,
): void {
  const given = [first, second].filter((name) => options[name as keyof T] !== undefined)
  if (given.length === 1) return
  throw new MillraceError(
    'INVALID_OPTION',
    `Expected either ${first} or ${second} but received ${given.length === 0 ? 'neither' : 'both'}`,
  )
}
