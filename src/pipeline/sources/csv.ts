/** Documents out of CSV and TSV files: a row each. gzip is unpacked; a file is read a piece at a time. */

import { MillraceError } from '../../base/errors.js'
import { boolean, type Checks, nonEmptyString, oneOf, parseOptions } from '../../options/check.js'
import type { NamedDocumentSource } from '../document.js'
import { inputName, readBytes } from './bytes.js'
import { type CsvDialect, type CsvRow, readRows } from './csv-rows.js'
import { type EncodingOptions, encoding } from './encoding.js'
import { type Documents, documentOf, eachFile, named, pathList, requireColumns } from './named.js'
import { paths as checkPaths, type RecordOptions, recordChecks, shapeOf } from './options.js'

/** Options of {@link csvSource}. */
export interface CsvOptions extends RecordOptions, EncodingOptions {
  /** What stands between fields: `','`, or `';'` where Excel runs in a country that writes 0,5. @default ','; '\t' for .tsv files */
  delimiter?: string | undefined
  /** Whether a field may stand in quotation marks, or quotation marks are characters as others are. @default 'double'; 'none' for .tsv files */
  quotes?: 'double' | 'none' | undefined
  /** Whether the first row names the columns. Without it they are called `1`, `2`, `3`…, and `text` must say which to take. @default true */
  header?: boolean | undefined
}

const checks: Checks<CsvOptions> = {
  ...recordChecks,
  encoding,
  delimiter: nonEmptyString,
  quotes: oneOf('double', 'none'),
  header: boolean,
}

/**
 * A row of a CSV file is a document; its first row names the fields. Needs the package csv-parse. A row with more or fewer fields than
 * the first one, a misplaced quotation mark, or bytes that are not valid in the file's encoding make a document that cannot be read, and the rest
 * goes on. A file whose header names a column twice, or lacks one that is asked for, is refused.
 *
 * @example
 * csvSource('tickets.csv', { id: 'number', text: ['subject', 'body'], metadata: true })
 * csvSource('export.csv', { delimiter: ';', encoding: 'windows-1252' }) // as Excel writes it in western Europe
 */
export function csvSource(paths: string | readonly string[], options?: CsvOptions): NamedDocumentSource {
  const files = pathList(checkPaths('paths', paths))
  const checked = parseOptions<CsvOptions>('csvSource', options, checks)
  const { delimiter, quotes, header = true, encoding, ...record } = checked
  if (!header && record.text === undefined) {
    throw new MillraceError(
      'INVALID_OPTION',
      "Expected the number of a column, such as '1', for text with header: false but received undefined",
    )
  }
  const shape = shapeOf(record)
  return named(`CSV ${files.join(', ')}`, () =>
    eachFile(files, async function* (path): Documents {
      const isTsv = /\.tsv(\.gz)?$/i.test(path)
      const dialect: CsvDialect = {
        delimiter: delimiter ?? (isTsv ? '\t' : ','),
        quoted: (quotes ?? (isTsv ? 'none' : 'double')) === 'double',
        encoding,
      }
      let columns: readonly string[] | undefined
      for await (const rows of readRows(readBytes(path), dialect)) {
        for (const row of rows) {
          const place = `${inputName(path)}:${row.line}`
          if (columns === undefined) {
            columns = columnsOf(row, place, header)
            requireColumns(inputName(path), columns, shape)
            if (header) continue
          }
          const problem = problemOf(row, columns.length, header)
          if (problem === undefined) yield documentOf(recordOf(columns, row.fields), place, shape)
          else yield { id: place, error: new MillraceError('INPUT_INVALID', `${place}: ${problem}`) }
        }
      }
    }),
  )
}

/** The names of the columns, from the first row. A column without a name is called by its number. */
function columnsOf({ fields, problem }: CsvRow, place: string, header: boolean): readonly string[] {
  if (problem !== undefined) throw new MillraceError('INPUT_INVALID', `${place}: ${problem}`)
  const names = fields.map((name, i) => (header && name !== '' ? name : String(i + 1)))
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice === undefined) return names
  throw new MillraceError(
    'INPUT_INVALID',
    `${place}: the header names the column '${twice}' twice, so that one of them would be lost: rename it, or read the file without its header`,
  )
}

function problemOf({ fields, problem }: CsvRow, columns: number, header: boolean): string | undefined {
  if (problem !== undefined) return problem
  if (fields.length === columns) return undefined
  const first = header ? 'the header' : 'the first row'
  return `the row has ${fields.length} fields and ${first} has ${columns}`
}

function recordOf(columns: readonly string[], fields: readonly string[]): Record<string, string> {
  return Object.fromEntries(columns.map((name, i) => [name, fields[i] ?? '']))
}
