/** Options of the LanceDB sink and of searching in what it made. */

import { invalidOption, MillraceError } from '../../../base/errors.js'
import { isRecord } from '../../../base/is.js'
import { boolean, type Check, nonEmptyString, oneOf, parseOptions } from '../../../options/check.js'
import type { MetadataColumnType } from './arrow-tables.js'

/** Options of {@link openLanceDb}. */
export interface LanceDbOptions {
  /** Directory of the database. */
  uri: string
  /** Letters, digits, `_`, `-` and `.`: LanceDB makes a directory of it and takes no other names. */
  table: string
}

/** Options of {@link lanceDbSink}. */
export interface LanceDbSinkOptions extends LanceDbOptions {
  /**
   * Metadata that get a column of their own, for filters (`where: "year > 2020"`); a value of another type, or an integer beyond 32 bits in an `int32`
   * column, is null there. All of it is in the column `metadata` as JSON anyway. @default none
   */
  metadataColumns?: Readonly<Record<string, MetadataColumnType>> | undefined
  /** Whether a table that is there, and that no journal knows, is made anew; else it must be empty. @default false */
  overwrite?: boolean | undefined
  /** Whether records may be added to a table that others write too, whose rows are left alone. @default false */
  append?: boolean | undefined
  /** @deprecated Say `overwrite: true` or `append: true`. */
  existing?: 'refuse' | 'append' | 'overwrite' | undefined
  /** Whether an approximate index is made or brought up to date at the end of a run, from 100,000 records on. @default true */
  index?: boolean | undefined
}

/** Checked options, defaults filled in. */
export interface LanceDbPlan {
  uri: string
  table: string
  metadataColumns: Readonly<Record<string, MetadataColumnType>>
  existing: 'refuse' | 'append' | 'overwrite'
  index: boolean
}

const metadataColumns: Check<Readonly<Record<string, MetadataColumnType>>> = (name, value) => {
  const types = ['string', 'int32', 'float64', 'boolean']
  if (!isRecord(value) || Object.values(value).some((type) => !types.includes(type as string))) {
    throw invalidOption(name, `object of column names, each with one of ${types.join(', ')}`, value)
  }
  return value as Record<string, MetadataColumnType>
}

/** LanceDB itself panics for other names, with a trace of its own on standard error. */
const tableName: Check<string> = (name, value) => {
  const text = nonEmptyString(name, value)
  if (!/^[\w.-]+$/.test(text))
    throw invalidOption(name, 'name of letters, digits, _, - and . for LanceDB', value)
  return text
}

const placeChecks = { uri: nonEmptyString, table: tableName } as const

/** Checks the options of {@link lanceDbSink}. */
export function parseLanceDbSink(options: unknown): LanceDbPlan {
  const checked = parseOptions<LanceDbSinkOptions>('lanceDbSink', options, {
    ...placeChecks,
    metadataColumns,
    overwrite: boolean,
    append: boolean,
    existing: oneOf('refuse', 'append', 'overwrite'),
    index: boolean,
  })
  const { uri, table, overwrite = false, append = false, index = true } = checked
  if (overwrite && append) {
    throw new MillraceError('INVALID_OPTION', 'Expected either overwrite or append but received both')
  }
  const existing = overwrite ? 'overwrite' : append ? 'append' : (checked.existing ?? 'refuse')
  const place = { uri: nonEmptyString('uri', uri), table: tableName('table', table) }
  return { ...place, metadataColumns: checked.metadataColumns ?? {}, existing, index }
}

/** Checks the options of {@link openLanceDb}. */
export function parseLanceDb(options: unknown): LanceDbOptions {
  const { uri, table } = parseOptions<LanceDbOptions>('openLanceDb', options, placeChecks)
  return { uri: nonEmptyString('uri', uri), table: tableName('table', table) }
}

/** The store's name for people. */
export function placeOf({ uri, table }: LanceDbOptions): string {
  return `The table ${table} in ${uri}`
}
