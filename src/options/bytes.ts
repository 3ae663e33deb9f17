/** Amounts of memory as users write them: a number of bytes, or a number with a unit. */

import { invalidOption } from '../base/errors.js'
import { isIntegerIn } from '../base/is.js'
import type { Check } from './check.js'

/** Bytes of each unit. Those with an `i` are powers of 1,024, the others powers of 1,000, as SI and IEC define them. */
const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
}

const EXPECTED = "positive integer of bytes, or a string such as '512MB' or '1.5GiB',"

/** An amount of memory, as a whole number of bytes. */
export const bytes: Check<number | string> & Check<number> = (name, value) => {
  const given = typeof value === 'string' ? parse(value) : value
  if (!isIntegerIn(given, 1, Number.MAX_SAFE_INTEGER)) throw invalidOption(name, EXPECTED, value)
  return given
}

function parse(text: string): number | undefined {
  const [, digits, unit = 'b'] = /^(\d+(?:\.\d+)?)\s*([kmg]?i?b)?$/i.exec(text.trim()) ?? []
  const scale = UNITS[unit.toLowerCase()]
  return digits === undefined || scale === undefined ? undefined : Math.floor(Number(digits) * scale)
}
