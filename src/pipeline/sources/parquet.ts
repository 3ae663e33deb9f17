/** Documents out of Parquet files: a row each. One row group is in memory at a time, of the columns that are needed. */

import { MillraceError } from '../../base/errors.js'
import { isError } from '../../base/foreign.js'
import { parseOptions } from '../../options/check.js'
import { importPeer } from '../../peers/peer.js'
import type { NamedDocumentSource } from '../document.js'
import { type Documents, documentOf, eachFile, named, pathList, requireColumns } from './named.js'
import { paths as checkPaths, type RecordOptions, recordChecks, shapeOf } from './options.js'
import { PARSERS, textColumns, unreadableField } from './parquet-values.js'

/** What is used of the package hyparquet. */
interface Hyparquet {
  asyncBufferFromFile(path: string): Promise<unknown>
  parquetMetadataAsync(file: unknown): Promise<{ row_groups: { num_rows: bigint }[] }>
  parquetSchema(metadata: unknown): { children: { element: { name: string; type?: string } }[] }
  parquetReadObjects(options: object): Promise<Record<string, unknown>[]>
}

/**
 * A row of a Parquet file is a document. Needs the package hyparquet, and for codecs other than Snappy hyparquet-compressors. Columns of bytes
 * that are no text are kept in base64; integers beyond 2^53 as text. A file that is broken, or that lacks a column which is asked for, is
 * one document that cannot be read.
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
    const hyparquet = await load()
    const { parquetSchema, parquetReadObjects } = hyparquet
    const compressors = await importPeer<{ compressors: object }>(
      'hyparquet-compressors',
      '1',
      'parquetSource',
    ).then(
      (module) => module.compressors,
      () => undefined,
    )
    yield* eachFile(files, async function* (path): Documents {
      const { file, metadata } = await openFile(hyparquet, path)
      const elements = parquetSchema(metadata).children.map(({ element }) => element)
      const there = elements.map(({ name }) => name)
      const ofBytes = elements.filter(({ type }) => type === 'BYTE_ARRAY').map(({ name }) => name)
      requireColumns(path, there, shape)
      const roots = [shape.id, ...shape.text, ...(shape.metadata === true ? there : shape.metadata)].map(
        (field) => there.find((name) => name === field) ?? field.split('.')[0],
      )
      const columns = there.filter((name) => roots.includes(name))
      let rowStart = 0
      for (const { num_rows } of metadata.row_groups) {
        const rowEnd = rowStart + Number(num_rows)
        const options = { file, metadata, columns, rowStart, rowEnd, compressors }
        const rows = await whole(path, () =>
          parquetReadObjects({ ...options, utf8: false, parsers: PARSERS }),
        )
        const asText = textColumns(rows, ofBytes)
        for (const [i, bytes] of rows.entries()) {
          const place = `${path}:${rowStart + i + 1}`
          const row = asText(bytes)
          const field = unreadableField(row)
          if (field === undefined) {
            yield documentOf(row, place, shape)
          } else {
            const why = `${place}: field '${field}' holds text that is not valid UTF-8`
            yield { id: place, error: new MillraceError('INPUT_INVALID', why) }
          }
        }
        rowStart = rowEnd
      }
    })
  }
  return named(`Parquet ${files.join(', ')}`, read, async () => {
    const hyparquet = await load()
    let rows = 0
    for (const path of files) {
      const { metadata } = await openFile(hyparquet, path)
      for (const { num_rows } of metadata.row_groups) rows += Number(num_rows)
    }
    return rows
  })
}

async function openFile({ asyncBufferFromFile, parquetMetadataAsync }: Hyparquet, path: string) {
  const file = await asyncBufferFromFile(path)
  return { file, metadata: await whole(path, () => parquetMetadataAsync(file)) }
}

/** What a reading gives; the plain errors that hyparquet throws for broken files become INPUT_INVALID with the file's name. */
async function whole<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (!isError(cause) || 'syscall' in cause || cause instanceof MillraceError) throw cause
    throw new MillraceError('INPUT_INVALID', `${path} cannot be read as Parquet: ${cause.message}`, { cause })
  }
}
