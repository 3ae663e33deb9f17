/** Documents out of files of records: JSON lines, CSV, Parquet. gzip is unpacked. Files are read a piece at a time. */

import { pipeline, Readable } from 'node:stream'
import { MillraceError } from '../../base/errors.js'
import { type Checks, nonEmptyString, parseOptions } from '../../options/check.js'
import { importPeer } from '../../peers/peer.js'
import type { NamedDocumentSource } from '../document.js'
import { readBytes } from './bytes.js'
import { readLines } from './lines.js'
import { type Documents, documentOf, named, pathList } from './named.js'
import { paths as checkPaths, type RecordOptions, recordChecks, shapeOf } from './options.js'

/**
 * A JSON object a line is a document; empty lines are skipped. A line that is no JSON, or has no text, is a document that cannot be
 * read, named by its place.
 *
 * @example
 * jsonlSource('docs.jsonl.gz', { id: 'url', text: ['title', 'body'], metadata: ['author', 'meta.year'] })
 */
export function jsonlSource(paths: string | readonly string[], options?: RecordOptions): NamedDocumentSource {
  const files = pathList(checkPaths('paths', paths))
  const shape = shapeOf(parseOptions<RecordOptions>('jsonlSource', options, recordChecks))
  return named(`JSON lines ${files.join(', ')}`, async function* (): Documents {
    for (const path of files) {
      for await (const lines of readLines(path, readBytes(path))) {
        for (const { number, text } of lines) {
          if (text?.trim() === '') continue
          const place = `${path}:${number}`
          if (text === undefined) {
            yield { id: place, error: new MillraceError('INPUT_INVALID', `${place}: the line is not UTF-8`) }
            continue
          }
          let record: unknown
          try {
            record = JSON.parse(text)
          } catch (cause) {
            const why = cause instanceof Error ? cause.message : String(cause)
            const error = new MillraceError('INPUT_INVALID', `${place}: the line is not JSON: ${why}`, {
              cause,
            })
            yield { id: place, error }
            continue
          }
          yield documentOf(record, place, shape)
        }
      }
    }
  })
}

/** Options of {@link csvSource}. */
export interface CsvOptions extends RecordOptions {
  /** What stands between fields. @default ',' */
  delimiter?: string | undefined
}

const csvChecks: Checks<CsvOptions> = { ...recordChecks, delimiter: nonEmptyString }

/** What is used of the package csv-parse. */
interface CsvParse {
  parse(options: object): NodeJS.ReadWriteStream & AsyncIterable<{ record: unknown; info: { lines: number } }>
}

/**
 * A row of a CSV file is a document; its first row names the fields. Needs the package csv-parse. A file that is broken ends the run.
 *
 * @example
 * csvSource('tickets.csv', { id: 'number', text: ['subject', 'body'], metadata: true })
 */
export function csvSource(paths: string | readonly string[], options?: CsvOptions): NamedDocumentSource {
  const files = pathList(checkPaths('paths', paths))
  const { delimiter = ',', ...record } = parseOptions<CsvOptions>('csvSource', options, csvChecks)
  const shape = shapeOf(record)
  return named(`CSV ${files.join(', ')}`, async function* (): Documents {
    const { parse } = await importPeer<CsvParse>('csv-parse', '7', 'csvSource')
    for (const path of files) {
      const parser = parse({ columns: true, bom: true, delimiter, info: true, skip_empty_lines: true })
      const bytes = Readable.from(readBytes(path))
      pipeline(bytes, parser, () => {}) // its error comes out of `parser`
      try {
        for await (const { record, info } of parser) yield documentOf(record, `${path}:${info.lines}`, shape)
      } catch (cause) {
        if (!(cause instanceof Error && 'code' in cause && String(cause.code).startsWith('CSV_'))) throw cause
        throw new MillraceError('INPUT_INVALID', `${path}: ${cause.message}`, { cause })
      } finally {
        bytes.destroy()
      }
    }
  })
}

/** What is used of the package hyparquet. */
interface Hyparquet {
  asyncBufferFromFile(path: string): Promise<unknown>
  parquetMetadataAsync(file: unknown): Promise<{ row_groups: { num_rows: bigint }[] }>
  parquetSchema(metadata: unknown): { children: { element: { name: string } }[] }
  parquetReadObjects(options: object): Promise<Record<string, unknown>[]>
}

/**
 * A row of a Parquet file is a document. Needs the package hyparquet, and for codecs other than Snappy hyparquet-compressors. One row
 * group is in memory at a time, of the columns that are needed.
 *
 * @example
 * parquetSource('wiki.parquet', { id: 'url', text: 'content', metadata: ['lang'] })
 */
export function parquetSource(
  paths: string | readonly string[],
  options?: RecordOptions,
): NamedDocumentSource {
  const files = pathList(checkPaths('paths', paths))
  const shape = shapeOf(parseOptions<RecordOptions>('parquetSource', options, recordChecks))
  const load = () => importPeer<Hyparquet>('hyparquet', '1', 'parquetSource')
  const read = async function* (): Documents {
    const { asyncBufferFromFile, parquetMetadataAsync, parquetSchema, parquetReadObjects } = await load()
    const compressors = await importPeer<{ compressors: object }>(
      'hyparquet-compressors',
      '1',
      'parquetSource',
    ).then(
      (module) => module.compressors,
      () => undefined,
    )
    for (const path of files) {
      const file = await asyncBufferFromFile(path)
      const metadata = await parquetMetadataAsync(file)
      const there = parquetSchema(metadata).children.map(({ element }) => element.name)
      const roots = [shape.id, ...shape.text, ...(shape.metadata === true ? there : shape.metadata)].map(
        (field) => there.find((name) => name === field) ?? field.split('.')[0],
      )
      const columns = there.filter((name) => roots.includes(name))
      let rowStart = 0
      for (const { num_rows } of metadata.row_groups) {
        const rowEnd = rowStart + Number(num_rows)
        const rows = await parquetReadObjects({ file, metadata, columns, rowStart, rowEnd, compressors })
        for (const [i, row] of rows.entries()) yield documentOf(row, `${path}:${rowStart + i + 1}`, shape)
        rowStart = rowEnd
      }
    }
  }
  return named(`Parquet ${files.join(', ')}`, read, async () => {
    const { asyncBufferFromFile, parquetMetadataAsync } = await load()
    let rows = 0
    for (const path of files) {
      const { row_groups } = await parquetMetadataAsync(await asyncBufferFromFile(path))
      for (const { num_rows } of row_groups) rows += Number(num_rows)
    }
    return rows
  })
}
