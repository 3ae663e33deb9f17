/**
 * How options are checked: one table of checks per options object, unknown keys refused. What the options are
 * and mean is in the neighbouring files.
 */

import { invalidOption, MillraceError } from '../base/errors.js'
import { isIntegerIn, isRecord } from '../base/is.js'
import { didYouMean, nearest } from '../base/suggest.js'

/** Returns the value, or throws INVALID_OPTION. */
export type Check<T> = (name: string, value: unknown) => T

/** One check per key. */
export type Checks<T> = { readonly [K in keyof T]-?: Check<Exclude<T[K], undefined>> }

/** The keys that were given, checked; a key given as `undefined` counts as absent. */
export type Checked<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** FastEmbed's words that have another name here, for the suggestion. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  model_name: 'model',
  specific_model_path: 'modelPath',
  model_file: 'modelFile',
  cuda: 'device',
  providers: 'device',
  normalization: 'normalize',
}

/** Checks every key of `options` once. `where` names the function in errors. */
export function parseOptions<T extends object>(
  where: string,
  options: unknown,
  checks: Checks<T>,
): Checked<T> {
  if (options === undefined) return {}
  if (!isRecord(options)) throw invalidOption(`options of ${where}`, 'object', options)
  const checked: Record<string, unknown> = {}
  const known = checks as Record<string, Check<unknown>>
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name)) throw unknownOption(where, name, Object.keys(known))
    if (value !== undefined) checked[name] = known[name]?.(name, value)
  }
  return checked as Checked<T>
}

function unknownOption(where: string, name: string, known: string[]): MillraceError {
  const other = OTHER_NAMES[name]
  const near = other !== undefined && known.includes(other) ? [other] : nearest(name, known)
  return new MillraceError(
    'INVALID_OPTION',
    `Expected a known option for ${where} but received '${name}'${didYouMean(near)}`,
  )
}

/** Native counters are 32-bit; nothing counted by an option comes near this. */
export const MAX_COUNT = 2 ** 31 - 1

export const positiveInteger: Check<number> = integer(1, MAX_COUNT, 'positive integer')

export const nonNegativeInteger: Check<number> = integer(0, MAX_COUNT, 'integer from 0')

/** An integer between the ends, ends included. */
export function integer(
  min: number,
  max: number,
  expected = `integer between ${min} and ${max}`,
): Check<number> {
  return (name, value) => {
    if (!isIntegerIn(value, min, max)) throw invalidOption(name, expected, value)
    return value
  }
}

export const positiveNumber: Check<number> = (name, value) => {
  if (typeof value !== 'number' || !(value > 0) || value > MAX_COUNT) {
    throw invalidOption(name, `number above 0 and up to ${MAX_COUNT}`, value)
  }
  return value
}

export const boolean: Check<boolean> = (name, value) => {
  if (typeof value !== 'boolean') throw invalidOption(name, 'boolean', value)
  return value
}

export const string: Check<string> = (name, value) => {
  if (typeof value !== 'string') throw invalidOption(name, 'string', value)
  return value
}

export const nonEmptyString: Check<string> = (name, value) => {
  if (typeof value !== 'string' || value === '') throw invalidOption(name, 'non-empty string', value)
  return value
}

/** One of a few words. */
export function oneOf<const T extends string>(...words: readonly T[]): Check<T> {
  const expected = `one of ${words.map((word) => `'${word}'`).join(', ')}`
  return (name, value) => {
    if (!words.includes(value as T)) throw invalidOption(name, expected, value)
    return value as T
  }
}
