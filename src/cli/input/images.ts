/** Image files out of arguments: files, folders, lists of paths. It looks at names only and opens no image. */

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '../../../index.js'
import { STDIN, totalSize } from '../../pipeline/sources/bytes.js'
import { formatOf, type Input, type InputFormat, type InputRecord, readRecords } from './records.js'
import { strings } from './shapes.js'

/** Of the formats that can be decoded. */
const EXTENSIONS = /\.(jpe?g|png|webp|gif|bmp|tiff?)$/i

/** How lists are read. */
export interface ImageListOptions {
  format?: InputFormat
  /** Dotted path of the image's path in a JSON record. */
  field: string
  keep: readonly string[]
}

type Kind = 'image' | 'folder' | 'list'

/**
 * The images of `files` (an image, a folder, standard input or a .jsonl as a list), then those that `lists` name. Rejects
 * with the system's error when one of them is not there.
 */
export async function openImages(
  files: readonly string[],
  lists: readonly string[],
  options: ImageListOptions,
): Promise<Input<string>> {
  const found = await Promise.all(files.map(async (path) => ({ path, kind: await kindOf(path) })))
  const sources = [...found, ...lists.map((path) => ({ path, kind: 'list' as const }))]
  const isAll = (kind: Kind) => sources.every((source) => source.kind === kind)
  if (isAll('image')) {
    return { total: sources.length, records: imageRecords(sources, options) }
  }
  return {
    total: isAll('list') ? await totalSize(sources.map(({ path }) => path)) : undefined,
    records: imageRecords(sources, options),
  }
}

async function kindOf(path: string): Promise<Kind> {
  if (path === STDIN) return 'list'
  if ((await stat(path)).isDirectory()) return 'folder'
  return formatOf(path) === 'jsonl' ? 'list' : 'image'
}

/** `end` counts images, or for lists their bytes: of mixed sources nobody knows the total. */
async function* imageRecords(
  sources: readonly { path: string; kind: Kind }[],
  options: ImageListOptions,
): AsyncGenerator<InputRecord<string>, void, undefined> {
  const shape = strings(options.field, { name: 'path', of: 'all' })
  let end = 0
  for (const { path, kind } of sources) {
    const before = end
    if (kind === 'list') {
      for await (const record of readRecords([path], { ...options, shape })) {
        end = before + record.end
        yield { ...record, end }
      }
    } else {
      for await (const image of kind === 'folder' ? imagesIn(path) : [path]) yield imageRecord(image, ++end)
      if (kind === 'folder' && end === before) {
        throw new MillraceError(
          'INPUT_INVALID',
          `${path} holds no .jpg, .png, .webp, .gif, .bmp or .tiff file`,
        )
      }
    }
  }
}

function imageRecord(path: string, end: number): InputRecord<string> {
  return { item: path, place: path, kept: { path }, end }
}

/**
 * The image files of a folder and the folders in it, by name, which is the same order everywhere. Hidden files are left
 * out, and so are links to folders, which may lead round in a circle.
 */
async function* imagesIn(folder: string): AsyncGenerator<string, void, undefined> {
  const entries = await readdir(folder, { withFileTypes: true })
  const visible = entries.filter(({ name }) => !name.startsWith('.'))
  for (const entry of visible.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* imagesIn(path)
    else if (EXTENSIONS.test(entry.name) && (await isFile(entry, path))) yield path
  }
}

async function isFile(
  entry: { isFile(): boolean; isSymbolicLink(): boolean },
  path: string,
): Promise<boolean> {
  if (entry.isFile()) return true
  if (!entry.isSymbolicLink()) return false
  // A link that leads nowhere is a row that fails, as a damaged image is; it does not end the run.
  return stat(path).then(
    (found) => found.isFile(),
    () => true,
  )
}
