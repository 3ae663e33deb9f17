/**
 * A configuration file of `millrace index`, checked by the parsers of the options themselves: a word or a value that the command line
 * would refuse is refused here with the same words.
 */

import type { Option } from 'commander'
import { describeValue, isRecord } from '../../base/is.js'
import { didYouMean, nearest } from '../../base/suggest.js'
import { usageError } from '../exit.js'
import type { IndexFlags } from './flags.js'

/** Options whose value is a list: an array, or on the command line words with commas between. */
const LISTS: readonly string[] = ['text', 'metadata', 'languages']

/**
 * The values of a configuration as flags.
 *
 * @throws MillraceError INVALID_OPTION with the name of the file.
 */
export function checkConfig(path: string, config: unknown, options: readonly Option[]): Partial<IndexFlags> {
  if (!isRecord(config))
    throw usageError(`Expected an object in ${path} but received ${describeValue(config)}`)
  const known = ['inputs', ...options.map((option) => option.attributeName())]
  const checked: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(config)) {
    if (name === '$schema' || value === undefined) continue
    if (!known.includes(name)) {
      throw usageError(
        `Expected a known word in ${path} but received '${name}'${didYouMean(nearest(name, known))}`,
      )
    }
    const refuse = (expected: string) =>
      usageError(`Expected ${expected} for '${name}' in ${path} but received ${describeValue(value)}`)
    checked[name] =
      name === 'inputs'
        ? inputsOf(value, refuse)
        : optionValue(
            value,
            options.filter((option) => option.attributeName() === name),
            refuse,
          )
  }
  return checked as Partial<IndexFlags>
}

type Refuse = (expected: string) => Error

const isName = (value: unknown) => typeof value === 'string' && value !== ''

function inputsOf(value: unknown, refuse: Refuse): string[] {
  if (isName(value)) return [value as string]
  if (Array.isArray(value) && value.length > 0 && value.every(isName)) return value
  throw refuse('path, or non-empty array of paths')
}

/** `forms`: the options of that name, which are two for `--journal FILE` and `--no-journal`. */
function optionValue(value: unknown, forms: readonly Option[], refuse: Refuse): unknown {
  const withValue = forms.find((option) => option.required || option.optional)
  const isSwitch = forms.some((option) => option.isBoolean() || option.negate || option.optional)
  if (typeof value === 'boolean') {
    const isAll = value && withValue?.attributeName() === 'metadata'
    if (isSwitch || isAll) return value
    throw refuse(expectationOf(withValue))
  }
  if (withValue === undefined) throw refuse('boolean')
  const name = withValue.attributeName()
  if (Array.isArray(value)) {
    if (LISTS.includes(name) && value.length > 0 && value.every(isName)) return value
    throw refuse(LISTS.includes(name) ? 'word, or non-empty array of words' : expectationOf(withValue))
  }
  const isNumber = typeof value === 'number' && !isTextOption(withValue)
  if (!isName(value) && !isNumber) throw refuse(expectationOf(withValue))
  try {
    return withValue.parseArg === undefined ? value : withValue.parseArg(String(value), undefined)
  } catch {
    throw refuse(expectationOf(withValue))
  }
}

/** Whether what the option's parser makes of a number is still text: `to: 5` is no store. */
function isTextOption({ parseArg, argChoices }: Option): boolean {
  return parseArg === undefined || argChoices !== undefined
}

function expectationOf(option: Option | undefined): string {
  if (option === undefined) return 'boolean'
  if (option.argChoices !== undefined)
    return `one of ${option.argChoices.map((word) => `'${word}'`).join(', ')}`
  const placeholder = /[<[]([^>\]]+)/.exec(option.flags)?.[1] ?? 'value'
  return placeholder === 'n' || placeholder === 'tokens' ? 'whole number' : `text (${placeholder})`
}
