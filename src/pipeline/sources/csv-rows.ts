/**
 * Rows out of the bytes of a CSV file, with the lines they begin at and what is wrong with them. The package csv-parse knows quotes and line ends;
 * names of columns and the number of fields are the caller's matter.
 */

import { isUtf8 } from 'node:buffer'
import { MillraceError } from '../../base/errors.js'
import { codeOf, isError } from '../../base/foreign.js'
import { importPeer } from '../../peers/peer.js'
import { notValid, toUtf8Bytes } from './encoding.js'

/** How a file is written. */
export interface CsvDialect {
  delimiter: string
  /** Whether fields may stand in quotation marks. */
  quoted: boolean
  encoding: string | undefined
}

/** One row. */
export interface CsvRow {
  fields: readonly string[]
  /** The line of the file that it begins at, or that has the fault. */
  line: number
  /** What is wrong with it, without the place; `fields` are then of no use. */
  problem?: string
}

/** What is used of the package csv-parse. */
interface CsvParse {
  parse(options: object): CsvParser
}

interface CsvParser {
  state: { quoting: boolean }
  write(chunk: Buffer, done: (error?: Error | null) => void): boolean
  end(): void
  on(event: 'end' | 'error', listener: (error: Error) => void): unknown
  resume(): unknown
  destroy(): unknown
}

/** What csv-parse says of a fault. */
interface CsvFault {
  code?: string
  message: string
  lines?: number
}

/** The rows of a file, some at a time; empty lines are skipped. */
export async function* readRows(
  chunks: AsyncIterable<Buffer>,
  { delimiter, quoted, encoding }: CsvDialect,
): AsyncGenerator<CsvRow[], void, undefined> {
  const { parse } = await importPeer<CsvParse>('csv-parse', '7', 'csvSource')
  let rows: CsvRow[] = []
  /** The line at which the last row ended. */
  let end = 0
  const parser: CsvParser = parse({
    delimiter: Buffer.from(delimiter),
    quote: quoted ? '"' : null,
    escape: quoted ? '"' : null,
    // Each character stands for a byte: csv-parse would replace bytes that are no UTF-8 without a word.
    encoding: 'latin1',
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_record(fields: string[], { lines }: { lines: number }) {
      end = lines
      rows.push(rowOf(fields, lines, encoding))
      // Nothing goes through the stream, so that rows and faults come in the order of the file.
      return undefined
    },
    on_skip(fault: CsvFault) {
      // csv-parse would go on to the next quotation mark, and rows without a fault would be lost with this one.
      if (fault.code === 'CSV_INVALID_CLOSING_QUOTE') parser.state.quoting = false
      // A quotation mark that is not closed is noticed at the end of the file; where its row begins says more.
      const line = fault.code === 'CSV_QUOTE_NOT_CLOSED' ? end + 1 : (fault.lines ?? end + 1)
      end = fault.lines ?? end
      rows.push({ fields: [], line, problem: reasonOf(fault) })
    },
  })
  const ended = new Promise<void>((resolve, reject) => {
    parser.on('end', () => resolve())
    parser.on('error', reject)
  })
  ended.catch(() => {}) // it is awaited below
  parser.resume()
  try {
    for await (const chunk of toUtf8Bytes(chunks, encoding)) {
      await new Promise<void>((resolve, reject) =>
        parser.write(chunk, (error) => (error ? reject(error) : resolve())),
      )
      if (rows.length > 0) yield rows
      rows = []
    }
    parser.end()
    await ended
    if (rows.length > 0) yield rows
  } catch (cause) {
    if (!isError(cause) || !/^(CSV|INVALID)_/.test(codeOf(cause) ?? '')) throw cause
    throw new MillraceError('INPUT_INVALID', `the file is not CSV: ${cause.message}`, { cause })
  } finally {
    parser.destroy()
  }
}

/** `lines`: the line that the row ends at; line ends inside quotes count. */
function rowOf(bytes: readonly string[], lines: number, encoding: string | undefined): CsvRow {
  let line = lines - bytes.reduce((sum, field) => sum + feedsIn(field), 0)
  const first = line
  const fields: string[] = []
  for (const field of bytes) {
    const buffer = Buffer.from(field, 'latin1')
    if (!isUtf8(buffer)) {
      const at = field.split('\n').findIndex((part) => !isUtf8(Buffer.from(part, 'latin1')))
      return { fields: [], line: line + Math.max(at, 0), problem: notValid(encoding ?? 'utf-8') }
    }
    line += feedsIn(field)
    fields.push(buffer.toString('utf8'))
  }
  return { fields, line: first }
}

function feedsIn(field: string): number {
  let count = 0
  for (let at = field.indexOf('\n'); at >= 0; at = field.indexOf('\n', at + 1)) count++
  return count
}

function reasonOf({ code = '', message }: CsvFault): string {
  switch (code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'a quotation mark is not closed before the end of the file'
    case 'CSV_INVALID_CLOSING_QUOTE':
      return 'characters follow a closing quotation mark; a quotation mark inside a quoted field is written twice'
    case 'INVALID_OPENING_QUOTE':
    case 'CSV_INVALID_OPENING_QUOTE':
      return 'a quotation mark stands inside a field that does not begin with one; if quotation marks are ordinary characters in this file, choose quotes: none'
    default:
      return message
  }
}
