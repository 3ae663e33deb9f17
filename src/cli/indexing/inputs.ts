/** From the inputs of `millrace index` to one source of documents. */

import { stat } from 'node:fs/promises'
import {
  csvSource,
  folderSource,
  jsonlSource,
  type NamedDocumentSource,
  type PipelineDocument,
  parquetSource,
  textSource,
  type UnreadableDocument,
} from '../../../index.js'
import { usageError } from '../exit.js'
import type { IndexFlags, InputKind } from './flags.js'

/** Endings of files that are one document each. */
const PAGES = /\.(md|markdown|mdx|html?)$/i

/**
 * The documents of all inputs in their order. With several folders, ids begin with the folder.
 *
 * @throws MillraceError INVALID_OPTION for none; the system's error where one is not there.
 */
export async function openInputs(flags: IndexFlags): Promise<NamedDocumentSource> {
  const { inputs = [], limit } = flags
  if (inputs.length === 0) throw usageError("missing required argument 'input'")
  const kinds = await Promise.all(inputs.map(async (input) => flags.from ?? (await kindOf(input))))
  const sources = inputs.map((input, i) => open(input, kinds[i] as InputKind, flags, inputs.length > 1))
  const read = async function* () {
    let left = limit ?? Number.POSITIVE_INFINITY
    for (const source of sources) {
      for await (const document of source) {
        if (left-- <= 0) return
        yield document
      }
    }
  }
  const count = async () => {
    const counts = await Promise.all(sources.map((source) => source.count?.()))
    if (counts.some((one) => one === undefined)) return undefined
    const all = counts.reduce<number>((sum, one) => sum + (one ?? 0), 0)
    return Math.min(all, limit ?? all)
  }
  return { name: sources.map(({ name }) => name).join(', '), [Symbol.asyncIterator]: read, count }
}

async function kindOf(input: string): Promise<InputKind> {
  if ((await stat(input)).isDirectory()) return 'folder'
  const name = input.replace(/\.gz$/i, '')
  if (/\.(jsonl|ndjson)$/i.test(name)) return 'jsonl'
  if (/\.(csv|tsv)$/i.test(name)) return 'csv'
  if (/\.parquet$/i.test(name)) return 'parquet'
  return PAGES.test(name) ? 'files' : 'lines'
}

function open(input: string, kind: InputKind, flags: IndexFlags, several: boolean): NamedDocumentSource {
  const { id, text, metadata, textFormat } = flags
  const record = {
    ...(id !== undefined && { id }),
    ...(text !== undefined && { text }),
    ...(metadata !== undefined && { metadata }),
    ...(textFormat !== undefined && { format: textFormat }),
  }
  switch (kind) {
    case 'folder': {
      const source = folderSource(input)
      return several ? prefixed(source, input.replace(/\/+$/, '')) : source
    }
    case 'files':
      return textSource(input, { by: 'file' })
    case 'lines':
      return textSource(input)
    case 'jsonl':
      return jsonlSource(input, record)
    case 'csv':
      return csvSource(input, { ...record, ...(/\.tsv(\.gz)?$/i.test(input) && { delimiter: '\t' }) })
    case 'parquet':
      return parquetSource(input, record)
  }
}

function prefixed(source: NamedDocumentSource, prefix: string): NamedDocumentSource {
  const read = async function* (): AsyncGenerator<PipelineDocument | UnreadableDocument, void, undefined> {
    for await (const document of source) yield { ...document, id: `${prefix}/${document.id}` }
  }
  return { ...source, [Symbol.asyncIterator]: read }
}
