/** Documents out of text files: a line each, a file each, or all the files of a folder. */

import { stat } from 'node:fs/promises'
import { basename, extname, sep } from 'node:path'
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
  string,
} from '../../options/check.js'
import type {
  JsonValue,
  NamedDocumentSource,
  PipelineDocument,
  TextFormat,
  UnreadableDocument,
} from '../document.js'
import { type FilePath, inputName, readBytes, readWhole, STDIN } from './bytes.js'
import { decodeText, type EncodingOptions, encoding } from './encoding.js'
import { frontMatterOf } from './front-matter.js'
import { readLines } from './lines.js'
import { cannotRead, type Documents, eachFile, named, pathList } from './named.js'
import { paths as checkPaths } from './options.js'
import { titleOf } from './title.js'
import { type Found, walk } from './walk.js'

/** Options of {@link textSource}. */
export interface TextSourceOptions extends EncodingOptions {
  /** Whether each line is a document, or each file. @default 'line' */
  by?: 'line' | 'file' | undefined
}

/** Options of {@link folderSource}. */
export interface FolderSourceOptions extends EncodingOptions {
  /** Endings of the files that are taken. @default .md .markdown .mdx .html .htm .xhtml .txt */
  extensions?: readonly string[] | undefined
  /** Says of a path, relative and with `/`, whether it is taken; of a folder's path, which ends with `/`, whether it is looked into. */
  filter?: ((path: string) => boolean) | undefined
  /** Whether symbolic links are followed; one that leads back to a folder which it is in is not. @default false */
  followLinks?: boolean | undefined
  /** Whether files and folders are taken whose names begin with a dot; `node_modules` never is. @default false */
  hidden?: boolean | undefined
  /** Largest file in bytes; a larger one is a document that cannot be read. @default 64 MiB */
  maxBytes?: number | undefined
  /** Written before each path to make the id: `docs/` keeps two folders with an `index.md` each apart in one store. @default '' */
  prefix?: string | undefined
}

const FORMATS: Readonly<Record<string, TextFormat>> = {
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.mdx': 'markdown',
  '.html': 'html',
  '.htm': 'html',
  '.xhtml': 'html',
}

const EXTENSIONS = [...Object.keys(FORMATS), '.txt']

/** A larger file is no page that someone wrote. */
const MAX_BYTES = 64 * 1024 * 1024

/** Files that are read ahead, so that a disk's latency is not waited for one by one. */
const READ_AHEAD = 16

/**
 * Lines, or whole files, as documents. A line is named `file:number`, a file by its path; `./a.txt` and `a.txt` are the same. Empty
 * lines are skipped. gzip is unpacked. A line or a file whose bytes are not valid in its encoding is a document that cannot be read.
 *
 * @example
 * textSource(['a.txt', 'b.txt.gz'])
 * textSource('letters.txt', { encoding: 'windows-1252' })
 */
export function textSource(
  paths: string | readonly string[],
  options?: TextSourceOptions,
): NamedDocumentSource {
  const files = pathList(checkPaths('paths', paths))
  const { by = 'line', encoding: chosen } = parseOptions<TextSourceOptions>('textSource', options, {
    by: oneOf('line', 'file'),
    encoding,
  })
  if (by === 'file') {
    const read = async function* (): Documents {
      for (const path of files) {
        yield await documentOfFile({ path, id: idOf(path), maxBytes: MAX_BYTES, encoding: chosen })
      }
    }
    return named(`files ${files.join(', ')}`, read, async () => files.length)
  }
  return named(`lines of ${files.join(', ')}`, () =>
    eachFile(files, async function* (path): Documents {
      for await (const lines of readLines(readBytes(path), chosen)) {
        for (const { number, text, problem } of lines) {
          const id = `${idOf(path)}:${number}`
          if (text === undefined) yield { id, error: new MillraceError('INPUT_INVALID', `${id}: ${problem}`) }
          else if (text.trim() !== '') yield { id, text }
        }
      }
    }),
  )
}

/** Ids have `/` on every system, so that a store can be brought up to date from another one. */
const idOf = (path: string): string => inputName(path).split(sep).join('/')

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
  encoding,
  prefix: string,
}

/**
 * The Markdown, HTML and text files of a folder and those inside it, in the order of their paths. A document's id is its path in the
 * folder, after `prefix`; its metadata are `path` (the same as the id), `title` (from the front matter, `<title>` or the first heading) and all
 * that its front matter says. A file or a folder that cannot be looked at is a document that cannot be read, so that nobody takes it for one
 * that is gone.
 *
 * @example
 * await pipeline.run(folderSource('./docs', { filter: (path) => !path.startsWith('drafts/') }), { prune: true })
 */
export function folderSource(directory: string, options?: FolderSourceOptions): NamedDocumentSource {
  const root = nonEmptyString('directory', directory)
  const checked = parseOptions<FolderSourceOptions>('folderSource', options, folderChecks)
  const { maxBytes = MAX_BYTES, prefix = '', encoding: chosen } = checked
  const walkFiles = () =>
    walk(root, {
      extensions: checked.extensions ?? EXTENSIONS,
      filter: checked.filter ?? (() => true),
      followLinks: checked.followLinks ?? false,
      hidden: checked.hidden ?? false,
    })
  const documentOf = async ({ path, id, error }: Found): Promise<PipelineDocument | UnreadableDocument> =>
    error === undefined
      ? documentOfFile({ path, id: prefix + id, maxBytes, encoding: chosen })
      : { id: prefix + id, error }
  const read = async function* (): Documents {
    let ahead: Promise<PipelineDocument | UnreadableDocument>[] = []
    for await (const found of walkFiles()) {
      ahead.push(documentOf(found))
      if (ahead.length < READ_AHEAD) continue
      for (const one of ahead) yield await one
      ahead = []
    }
    for (const one of ahead) yield await one
  }
  const count = async () => {
    let files = 0
    for await (const _ of walkFiles()) files++
    return files
  }
  return named(`folder ${directory}`, read, count)
}

/** A file that shall be a document. */
interface DocumentFile extends EncodingOptions {
  path: FilePath
  id: string
  maxBytes: number
}

/** A file as a document, or why it cannot be one; it never rejects for what the file is. */
async function documentOfFile(file: DocumentFile): Promise<PipelineDocument | UnreadableDocument> {
  const { path, id, maxBytes, encoding } = file
  const name = inputName(path)
  try {
    const { size } = path === STDIN ? { size: 0 } : await stat(path)
    if (size > maxBytes)
      throw new MillraceError('INPUT_INVALID', `${name} has ${size} bytes, more than ${maxBytes}`)
    const format = FORMATS[extname(name.replace(/\.gz$/i, '')).toLowerCase()] ?? 'text'
    const bytes = await readWhole(path, maxBytes)
    const text = decodeText(name, bytes, { encoding, isHtml: format === 'html' })
    const { metadata, rest } =
      format === 'markdown' ? await frontMatterOf(text) : { metadata: {}, rest: text }
    const title = metadata['title'] ?? (await titleOf(rest, format)) ?? basename(id)
    const facts: Record<string, JsonValue> = { ...metadata, path: id, title }
    return { id, text: rest, format, metadata: facts }
  } catch (cause) {
    return { id, error: cause instanceof MillraceError ? cause : cannotRead(name, cause) }
  }
}
