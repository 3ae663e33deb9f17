/** Names the contents of a model's files, so that a row is never taken for another model's. What else tells rows apart: `model-scope.ts`. */

import { readdir, stat } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { MillraceError, unwrap } from '../base/errors.js'
import type { NativeAddon } from '../binding/types.js'
import type { TieredCache } from '../options/cache.js'
import { nameEntry, nameIn } from './entry.js'

/** What names files. */
export type FileNamer = Pick<NativeAddon, 'fingerprintFiles' | 'weightFiles' | 'nameFields'>

/** Files whose names are worth keeping beyond the process: smaller ones are read faster than looked up. */
const KEPT_FROM_BYTES = 16 * 1024 * 1024

/** Weights of other formats or of other graphs, and what no model reads. */
const NOT_READ = new Set(
  '.onnx .onnx_data .data .bin .safetensors .pt .pth .ckpt .h5 .msgpack .ot .gguf .tflite .md .jpg .png .svg'.split(
    ' ',
  ),
)

/** How deep a model's directory is looked through: modules such as `1_Pooling` are one level down. */
const DEPTH = 2

/** Names by path and what the file system says of the file, for the life of the process. */
const known = new Map<string, Promise<string>>()

/** What the file system said of each file of a model's directory when the model was loaded, by path. */
export type FileStates = ReadonlyMap<string, string>

/** Takes down the state of a directory, before its files are loaded. A directory that cannot be read has none. */
export async function fileStatesOf(dir: string): Promise<FileStates> {
  const paths = await filesIn(dir, DEPTH).catch(() => [])
  const states = await Promise.all(paths.map((path) => stateOf(path).catch(() => undefined)))
  return new Map(paths.flatMap((path, i) => (states[i] === undefined ? [] : [[path, states[i]]])))
}

/**
 * The model's files and the names of their contents, in turns and in an order of their own. `loaded`: what the files were when the model was
 * loaded.
 *
 * @throws MillraceError MODEL_INVALID where a file is not as it was then: rows of the model in memory would be kept under the name of another one,
 * for every later process.
 */
export async function nameModelFiles(
  namer: FileNamer,
  dir: string,
  modelFile: string | undefined,
  cache: TieredCache | undefined,
  loaded: FileStates,
): Promise<string[]> {
  const weights = modelFile === undefined ? [] : await weightsOf(namer, join(dir, modelFile))
  const isOther = (path: string) => !weights.includes(path) && isRead(dir, path)
  // A file that has come since was not loaded.
  const others = [...loaded.keys()].filter(isOther)
  const check = () => Promise.all([...weights, ...others].map((path) => requireSame(path, loaded)))
  await check()
  const fields = ['weights', ...(await Promise.all(weights.map((path) => nameOf(namer, path, cache))))]
  for (const path of others.sort()) {
    fields.push(relative(dir, path).split(sep).join('/'), await nameOf(namer, path, cache))
  }
  // A file that was replaced while it was read has the name of neither.
  await check()
  return fields
}

async function requireSame(path: string, loaded: FileStates): Promise<void> {
  const before = loaded.get(path)
  // Weights that lie deeper in the directory than its configuration are not looked at beforehand.
  if (before === undefined || before === (await stateOf(path).catch(() => undefined))) return
  throw new MillraceError(
    'MODEL_INVALID',
    `${path} was changed after the model was loaded: load the model again`,
  )
}

async function weightsOf(namer: FileNamer, path: string): Promise<string[]> {
  return extname(path) === '.onnx' ? unwrap(await namer.weightFiles(path)) : [path]
}

/** Modules of their own (`2_Dense`) are read with their weights. */
function isRead(dir: string, path: string): boolean {
  const [folder = ''] = relative(dir, path).split(sep)
  const inModule = /^\d+_/.test(folder)
  return inModule || !NOT_READ.has(extname(path).toLowerCase())
}

async function filesIn(dir: string, depth: number): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue
    const path = join(dir, entry.name)
    const isFolder = entry.isDirectory()
    if (isFolder && depth > 1) found.push(...(await filesIn(path, depth - 1)))
    // The hub's directories hold links to files.
    else if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(path)))) found.push(path)
  }
  return found
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

/**
 * The name of a file's content. It is remembered by path, size and times, the one of the last change of any kind included: nobody
 * can set that one back, as images of containers do with the others.
 */
async function nameOf(namer: FileNamer, path: string, cache: TieredCache | undefined): Promise<string> {
  const { size } = await stat(path)
  const key = namer.nameFields(['millrace file 2', path, await stateOf(path)])
  let name = known.get(key)
  if (name === undefined) {
    name =
      cache === undefined || size < KEPT_FROM_BYTES ? hash(namer, path) : keptName(namer, path, key, cache)
    known.set(key, name)
    name.catch(() => known.delete(key))
  }
  return name
}

/** Size, times and place on the disk: whoever changes a file changes one of them. */
async function stateOf(path: string): Promise<string> {
  const { size, mtimeNs, ctimeNs, ino, dev } = await stat(path, { bigint: true })
  return [size, mtimeNs, ctimeNs, ino, dev].join(' ')
}

async function hash(namer: FileNamer, path: string): Promise<string> {
  const [name = ''] = unwrap(await namer.fingerprintFiles([path]))
  return name
}

async function keptName(namer: FileNamer, path: string, key: string, cache: TieredCache): Promise<string> {
  const [entry] = await cache.find([key])
  const kept = entry === undefined ? undefined : nameIn(entry)
  if (kept !== undefined) return kept
  const name = await hash(namer, path)
  cache.put([[key, nameEntry(key, name)]])
  return name
}
