/**
 * From the inputs of `millrace index` to one source of documents. The ids of documents are paths relative to the working directory, however the
 * inputs were spelled and however many there were: the same file must not be in a store twice because a second folder was named.
 */

import { stat } from 'node:fs/promises'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import {
  csvSource,
  folderSource,
  jsonlSource,
  MillraceError,
  type NamedDocumentSource,
  type PipelineDocument,
  parquetSource,
  textSource,
  type UnreadableDocument,
} from '../../../index.js'
import { STDIN } from '../../pipeline/sources/bytes.js'
import { usageError } from '../exit.js'
import type { IndexFlags, InputKind } from './flags.js'

/** Endings of files that are one document each. */
const PAGES = /\.(md|markdown|mdx|html?|xhtml)$/i

/**
 * The documents of all inputs in their order.
 *
 * @throws MillraceError INVALID_OPTION for none; the system's error where one is not there.
 */
export async function openInputs(flags: IndexFlags): Promise<NamedDocumentSource> {
  const { inputs = [], limit } = flags
  if (inputs.length === 0) throw usageError("missing required argument 'input'")
  if (limit !== undefined && (flags.prune === true || flags.pruneAll === true)) {
    throw usageError(
      'Expected no --prune with --limit: the documents that are not taken would be removed from the store',
    )
  }
  const places = inputs.map(placeOf)
  const kinds = await Promise.all(places.map(async (place) => flags.from ?? (await kindOf(place))))
  checkFlags(flags, kinds)
  const sources = places.map((place, i) => open(place, kinds[i] as InputKind, flags))
  const isEmptyFault = flags.prune === true && flags.pruneAll !== true && sources.length > 1
  const read = async function* (): AsyncGenerator<PipelineDocument | UnreadableDocument, void, undefined> {
    let left = limit ?? Number.POSITIVE_INFINITY
    for (const [i, source] of sources.entries()) {
      let found = 0
      for await (const document of source) {
        if (left-- <= 0) return
        found++
        yield document
      }
      if (found === 0 && isEmptyFault) yield nothingIn(places[i] as string)
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

/** One input among others that has nothing: a disk that is not mounted looks like that, and pruning would empty its part of the store. */
function nothingIn(place: string): UnreadableDocument {
  const message =
    `${place} has no documents, and --prune would remove all that came from it: ` +
    'is it all there? With --prune-all they are removed all the same'
  return { id: `${place}/`, error: new MillraceError('INPUT_INVALID', message) }
}

/** The shortest name of an input, which ids begin with: relative to the working directory if it is in it, else absolute. */
function placeOf(input: string): string {
  if (input === STDIN) return input
  const path = resolve(input)
  const inside = relative(process.cwd(), path)
  const isOutside = inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)
  return isOutside ? path : inside === '' ? '.' : inside
}

async function kindOf(place: string): Promise<InputKind> {
  if (place === STDIN) return 'lines'
  if ((await stat(place)).isDirectory()) return 'folder'
  const name = place.replace(/\.gz$/i, '')
  if (/\.(jsonl|ndjson)$/i.test(name)) return 'jsonl'
  if (/\.(csv|tsv)$/i.test(name)) return 'csv'
  if (/\.parquet$/i.test(name)) return 'parquet'
  return PAGES.test(name) ? 'files' : 'lines'
}

/** The kinds of input that each option says something of. */
const SCOPES: readonly { flags: readonly (keyof IndexFlags)[]; kinds: readonly InputKind[] }[] = [
  { flags: ['id', 'text', 'metadata', 'textFormat'], kinds: ['jsonl', 'csv', 'parquet'] },
  { flags: ['delimiter', 'quotes'], kinds: ['csv'] },
  { flags: ['encoding'], kinds: ['folder', 'files', 'lines', 'csv'] },
]

/** Refuses an option that no input has a use for: a typing error in `--from` would otherwise go unnoticed. */
function checkFlags(flags: IndexFlags, kinds: readonly InputKind[]): void {
  const scopes = flags.header ? SCOPES : [...SCOPES, { flags: ['header'] as const, kinds: ['csv'] as const }]
  for (const scope of scopes) {
    const given = scope.flags.find((name) => flags[name] !== undefined)
    if (given === undefined || kinds.some((kind) => (scope.kinds as readonly InputKind[]).includes(kind)))
      continue
    const option =
      given === 'header' ? '--no-header' : `--${given.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`
    throw usageError(
      `Expected an input of the kind ${scope.kinds.join(', ')} with ${option} but received ${[...new Set(kinds)].join(', ')}`,
    )
  }
}

function open(place: string, kind: InputKind, flags: IndexFlags): NamedDocumentSource {
  const { id, text, metadata, textFormat, encoding, delimiter, quotes, header } = flags
  const record = {
    ...(id !== undefined && { id }),
    ...(text !== undefined && { text }),
    ...(metadata !== undefined && { metadata }),
    ...(textFormat !== undefined && { format: textFormat }),
  }
  const written = encoding === undefined ? {} : { encoding }
  switch (kind) {
    case 'folder':
      return folderSource(place, {
        prefix: place === '.' ? '' : `${place.split(sep).join('/').replace(/\/$/, '')}/`,
        ...written,
      })
    case 'files':
      return textSource(place, { by: 'file', ...written })
    case 'lines':
      return textSource(place, written)
    case 'jsonl':
      return jsonlSource(place, record)
    case 'csv':
      return csvSource(place, {
        ...record,
        ...written,
        ...(delimiter !== undefined && { delimiter }),
        ...(quotes !== undefined && { quotes }),
        header,
      })
    case 'parquet':
      return parquetSource(place, record)
  }
}
