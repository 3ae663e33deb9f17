/**
 * The one error class, and the two ways an error is made: from native data, and from a refused option.
 * Nothing here decides when to fail; nothing anywhere reads an error's message.
 */

import { brandOf, hasBrand, putBrand } from './foreign.js'
import { describeValue } from './is.js'

/** The codes of the core's own failures; {@link ErrorCode} is the whole set. */
export type NativeErrorCode =
  | 'INVALID_OPTION'
  | 'MODEL_NOT_FOUND'
  | 'MODEL_INVALID'
  | 'DOWNLOAD_FAILED'
  | 'OFFLINE'
  | 'RUNTIME_NOT_FOUND'
  | 'RUNTIME_INCOMPATIBLE'
  | 'DEVICE_UNAVAILABLE'
  | 'INPUT_TOO_LONG'
  | 'INPUT_INVALID'
  | 'IMAGE_INVALID'
  | 'ABORTED'
  | 'TIMEOUT'
  | 'OVERLOADED'
  | 'CLOSED'
  | 'INFERENCE_FAILED'
  | 'INTERNAL'

/** A failure of the addon as data. `index` is the global position of the input it concerns. */
export interface NativeError {
  code: NativeErrorCode
  message: string
  index?: number
}

/**
 * What went wrong. Beside the codes of the core: an optional package is missing, a store refused or failed, a journal cannot be
 * read, or belongs to another model or other options.
 */
export type ErrorCode =
  | NativeErrorCode
  | 'PACKAGE_NOT_FOUND'
  | 'SINK_FAILED'
  | 'JOURNAL_INVALID'
  | 'JOURNAL_MISMATCH'

/** What a {@link MillraceError} may carry besides its code and message. */
export interface MillraceErrorDetails {
  /** Position of the input it concerns: 0-based, over the whole source. */
  index?: number | undefined
  /** What it was caused by. */
  cause?: unknown
}

const BRAND = brandOf('MillraceError')

/**
 * Every error that millrace makes. Decide by `code`, a closed set; the message is for people and may change.
 * Two kinds of error pass through untouched instead: `signal.reason` of an aborted call, and whatever the
 * caller's own source or callback threw.
 *
 * @example
 * try {
 *   await model.embed(texts).toArray()
 * } catch (error) {
 *   if (error instanceof MillraceError && error.code === 'INPUT_TOO_LONG') console.error(`text ${error.index}`)
 *   else throw error
 * }
 */
export class MillraceError extends Error {
  override readonly name = 'MillraceError'
  /** What went wrong, as a closed set. */
  readonly code: ErrorCode
  /** Position of the input it concerns: 0-based, over the whole source. Absent when it concerns no single input. */
  declare readonly index?: number

  /**
   * Errors of every copy of this package are instances: a program may import it here and require it there, which loads its CommonJS build
   * beside this one, and a dependency may bring a copy of its own. A subclass has its own instances only.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: it is the class that is asked, a subclass perhaps
    return isInstance(this, value)
  }

  constructor(code: ErrorCode, message: string, details: MillraceErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    if (details.index !== undefined) this.index = details.index
  }
}

putBrand(MillraceError, BRAND)

function isInstance(asked: unknown, value: unknown): boolean {
  if (asked === MillraceError) return hasBrand(value, BRAND)
  return Function.prototype[Symbol.hasInstance].call(asked as typeof MillraceError, value)
}

/** Whether an answer of the native addon is a failure. */
export function isNativeError(answer: unknown): answer is NativeError {
  return typeof answer === 'object' && answer !== null && 'code' in answer && 'message' in answer
}

/** The error of a native failure, with the stack of the JavaScript that asked. */
export function fromNative(failure: NativeError): MillraceError {
  return new MillraceError(failure.code, failure.message, { index: failure.index })
}

/** The answer, or its error thrown. */
export function unwrap<T>(answer: T | NativeError): T {
  if (isNativeError(answer)) throw fromNative(answer)
  return answer
}

/** "Expected positive integer for batchSize but received -1 of type number". */
export function invalidOption(name: string, expected: string, received: unknown): MillraceError {
  return new MillraceError(
    'INVALID_OPTION',
    `Expected ${expected} for ${name} but received ${describeValue(received)}`,
  )
}
