/**
 * Passwords and keys in texts for people. A store is named by its address, and an address may carry a password: whatever is printed or
 * put into an error goes through here. It decides nothing about how a store is reached.
 */

import { isError } from './foreign.js'

/** What stands in place of a secret. */
const HIDDEN = '***'

/** The password of `scheme://user:password@host`; greedy, because a password that was not encoded may hold an `@` itself. */
const IN_AUTHORITY = /([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)([^\s/]+)(@)/gi

/** A password that was not encoded and holds a slash: everything up to the last `@` of the word, unless it is a port. */
const IN_ODD_AUTHORITY = /([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)(?!\d+(?:[/?#]|$))([^\s'"]+)(@[^\s@'"]*)/gi

/** `password=…` in the query of an address and in the key-value form that PostgreSQL knows. */
const BY_NAME =
  /((?:^|[\s?&;,{'"])(?:password|passwd|pwd|sslpassword|api[-_]?key|access[-_]?token|token|secret)=)('[^']*'|[^\s&;,'"}]+)/gi

/** The text without passwords and keys: `postgres://me:***@host/db`. */
export function withoutSecrets(text: string): string {
  return text
    .replace(IN_AUTHORITY, `$1${HIDDEN}$3`)
    .replace(IN_ODD_AUTHORITY, (all: string, start: string, secret: string, end: string) =>
      secret === HIDDEN ? all : `${start}${HIDDEN}${end}`,
    )
    .replace(BY_NAME, `$1${HIDDEN}`)
}

/**
 * The error as it may be shown as a `cause`. Errors of address parsers keep the address as a property (`input`), which `console.error` prints
 * with the password in it; such an error is replaced by one that has its message and code only.
 */
export function safeCause(cause: unknown): unknown {
  if (!isError(cause)) return typeof cause === 'string' ? withoutSecrets(cause) : cause
  const texts = [cause.message, cause.stack ?? '', ...Object.values(cause)].filter(
    (value): value is string => typeof value === 'string',
  )
  const isSafe = texts.every((text) => withoutSecrets(text) === text)
  if (isSafe && (cause.cause === undefined || safeCause(cause.cause) === cause.cause)) return cause
  const safe = new Error(withoutSecrets(cause.message))
  safe.name = cause.name
  return 'code' in cause ? Object.assign(safe, { code: cause.code }) : safe
}
