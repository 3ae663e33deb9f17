/** Documents out of text files: a line each, a file each, or all the files of a folder. */

import { isUtf8 } from 'node:buffer'
import { lstat, readdir, readFile, stat } from 'node:fs/promises'
import { basename, extname, join, relative, sep } from 'node:path'
import { invalidOption, MillraceError } from '../../base/errors.js'
import { callback } from '../../options/call.js'
import {
  boolean,
  type Check,
  type Checks,
  integer,
  nonEmptyString,
  oneOf,
  parseOptions,
} from '../../options/check.js'
import type {
  JsonValue,
  NamedDocumentSource,
  PipelineDocument,
  TextFormat,
  UnreadableDocument,
} from '../document.js'
import { readBytes } from './bytes.js'
import { frontMatterOf, titleOf } from './front-matter.js'
import { readLines } from './lines.js'
import { type Documents, named, pathList } from './named.js'
import { paths as checkPaths } from './options.js'

/** Options of {@link textSource}. */
export interface TextSourceOptions {
  /** Whether each line is a document, or each file. @default 'line' */
  by?: 'line' | 'file' | undefined
}

/** Options of {@link folderSource}. */
export interface FolderSourceOptions {
  /** Endings of the files that are taken. @default .md .markdown .mdx .html .htm .txt */
  extensions?: readonly string[] | undefined
  /** Says of a path, relative and with `/`, whether it is taken; of a folder's path, which ends with `/`, whether it is looked into. */
  filter?: ((path: string) => boolean) | undefined
  /** Whether symbolic links are followed. @default false */
  followLinks?: boolean | undefined
  /** Whether files and folders are taken whose names begin with a dot; `node_modules` never is. @default false */
  hidden?: boolean | undefined
  /** Largest file in bytes; a larger one is a document that cannot be read. @default 64 MiB */
  maxBytes?: number | undefined
}

const FORMATS: Readonly<Record<string, TextFormat>> = {
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.mdx': 'markdown',
  '.html': 'html',
  '.htm': 'html',
}

const EXTENSIONS = [...Object.keys(FORMATS), '.txt']

/** A larger file is no page that someone wrote. */
const MAX_BYTES = 64 * 1024 * 1024

/** Files that are read ahead, so that a disk's latency is not waited for one by one. */
const READ_AHEAD = 16

/**
 * Lines, or whole files, as documents. A line is named `file:number`, a file by its path. Empty lines are skipped. gzip is unpacked.
 *
 * @example
 * textSource(['a.txt', 'b.txt.gz'])
 */
export function textSource(
  paths: string | readonly string[],
  options?: TextSourceOptions,
): NamedDocumentSource {
  const files = pathList(checkPaths('paths', paths))
  const { by = 'line' } = parseOptions<TextSourceOptions>('textSource', options, {
    by: oneOf('line', 'file'),
  })
  if (by === 'file') {
    const read = async function* (): Documents {
      for (const path of files) yield await documentOfFile(path, path, MAX_BYTES)
    }
    return named(`files ${files.join(', ')}`, read, async () => files.length)
  }
  return named(`lines of ${files.join(', ')}`, async function* (): Documents {
    for (const path of files) {
      for await (const lines of readLines(path, readBytes(path))) {
        for (const { number, text } of lines) {
          const id = `${path}:${number}`
          if (text === undefined)
            yield { id, error: new MillraceError('INPUT_INVALID', `${id}: the line is not UTF-8`) }
          else if (text.trim() !== '') yield { id, text }
        }
      }
    }
  })
}

const extensions: Check<readonly string[]> = (name, value) => {
  if (
    !Array.isArray(value) ||
    value.length === 0 ||
    value.some((one) => typeof one !== 'string' || !one.startsWith('.'))
  ) {
    throw invalidOption(name, "non-empty array of endings such as '.md'", value)
  }
  return value
}

const folderChecks: Checks<FolderSourceOptions> = {
  extensions,
  filter: callback,
  followLinks: boolean,
  hidden: boolean,
  maxBytes: integer(1, Number.MAX_SAFE_INTEGER, 'integer from 1'),
}

/**
 * The Markdown, HTML and text files of a folder and those inside it, in the order of their paths. A document's id is its path in the
 * folder; its metadata are `path`, `title` (first heading, or `<title>`), and what its front matter says in simple lines.
 *
 * @example
 * await pipeline.run(folderSource('./docs', { filter: (path) => !path.startsWith('drafts/') }), { prune: true })
 */
export function folderSource(directory: string, options?: FolderSourceOptions): NamedDocumentSource {
  const root = nonEmptyString('directory', directory)
  const checked = parseOptions<FolderSourceOptions>('folderSource', options, folderChecks)
  const { maxBytes = MAX_BYTES } = checked
  const read = async function* (): Documents {
    let ahead: Promise<PipelineDocument | UnreadableDocument>[] = []
    for await (const path of walk(root, checked)) {
      const id = relative(root, path).split(sep).join('/')
      const document = documentOfFile(path, id, maxBytes)
      document.catch(() => {}) // thrown where it is awaited
      ahead.push(document)
      if (ahead.length < READ_AHEAD) continue
      for (const one of ahead) yield await one
      ahead = []
    }
    for (const one of ahead) yield await one
  }
  const count = async () => {
    let files = 0
    for await (const _ of walk(root, checked)) files++
    return files
  }
  return named(`folder ${directory}`, read, count)
}

/** Files in the order of their paths. */
async function* walk(
  folder: string,
  options: FolderSourceOptions,
  root = folder,
): AsyncGenerator<string, void, undefined> {
  const {
    extensions: endings = EXTENSIONS,
    filter = () => true,
    followLinks = false,
    hidden = false,
  } = options
  const names = await readdir(folder)
  for (const name of names.sort()) {
    if (name === 'node_modules' || (!hidden && name.startsWith('.'))) continue
    const path = join(folder, name)
    const found = await (followLinks ? stat(path) : lstat(path)).catch(() => undefined)
    const shown = relative(root, path).split(sep).join('/')
    if (found?.isDirectory() === true) {
      if (filter(`${shown}/`)) yield* walk(path, options, root)
    } else if (found?.isFile() === true && endings.includes(extname(name).toLowerCase()) && filter(shown)) {
      yield path
    }
  }
}

/** A file as a document, or why it cannot be one. */
export async function documentOfFile(
  path: string,
  id: string,
  maxBytes: number,
): Promise<PipelineDocument | UnreadableDocument> {
  try {
    const { size } = await stat(path)
    if (size > maxBytes)
      throw new MillraceError('INPUT_INVALID', `${path} has ${size} bytes, more than ${maxBytes}`)
    const text = decode(path, await readFile(path))
    const format = FORMATS[extname(path).toLowerCase()] ?? 'text'
    const { metadata, rest } = format === 'markdown' ? frontMatterOf(text) : { metadata: {}, rest: text }
    const title = metadata['title'] ?? titleOf(rest, format) ?? basename(path)
    const facts: Record<string, JsonValue> = { ...metadata, path: id, title }
    return { id, text: rest, format, metadata: facts }
  } catch (cause) {
    if (cause instanceof MillraceError) return { id, error: cause }
    const why = cause instanceof Error ? cause.message : String(cause)
    return { id, error: new MillraceError('INPUT_INVALID', `Cannot read ${path}: ${why}`, { cause }) }
  }
}

/** UTF-8, or UTF-16 where a byte order mark says so. */
function decode(path: string, bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le', 2)
  if (bytes[0] === 0xfe && bytes[1] === 0xff)
    return Buffer.from(bytes.subarray(2, bytes.length & ~1))
      .swap16()
      .toString('utf16le')
  if (!isUtf8(bytes)) throw new MillraceError('INPUT_INVALID', `${path} is not UTF-8`)
  const text = bytes.toString('utf8')
  return text.startsWith('\ufeff') ? text.slice(1) : text
}
