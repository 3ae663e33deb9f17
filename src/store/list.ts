/** What the cache holds, whoever put it there. It changes nothing. */

import { lstat, readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { isMissing, isTemporary } from '../base/durable.js'
import { MillraceError } from '../base/errors.js'
import { type Checks, nonEmptyString, parseOptions } from '../options/check.js'
import { cacheDirectory } from './environment.js'
import { RepoLayout, repoOfFolder } from './layout.js'
import { gitRevision, repository } from './options.js'

/** A model in the cache. */
export interface CachedModel {
  repo: string
  path: string
  /** Bytes on the disk, of all revisions and of unfinished downloads; what revisions share counts once. */
  sizeBytes: number
  revisions: CachedRevision[]
}

/** One commit of a model. */
export interface CachedRevision {
  commit: string
  /** Branches and tags that stand for it. */
  refs: string[]
  dir: string
  /** Bytes of its files. */
  sizeBytes: number
  files: CachedFile[]
}

export interface CachedFile {
  /** Path in the repository. */
  file: string
  path: string
  /** Absent when the link leads nowhere. */
  sizeBytes?: number
}

/** Which cache, and which of its models. */
export interface CacheOptions {
  /** @default as for `resolveModel` */
  cacheDir?: string | undefined
  /** Only this model. */
  repo?: string | undefined
}

export const cacheChecks: Checks<CacheOptions> = { cacheDir: nonEmptyString, repo: repository }

/** The models in the cache, by name. An absent cache is an empty one. */
export async function listModels(options?: CacheOptions): Promise<CachedModel[]> {
  const layouts = await layoutsOf(parseOptions('listModels', options, cacheChecks))
  return Promise.all(layouts.map(readModel))
}

/** A model's directory in the cache, as it is: it may lack files that some other use needs. */
export async function cachedDirectory(options: {
  repo: string
  revision?: string | undefined
  cacheDir?: string | undefined
}): Promise<{ dir: string; revision: string }> {
  const parsed = parseOptions('cachedDirectory', options, { ...cacheChecks, revision: gitRevision })
  const { repo = '', revision = 'main', cacheDir } = parsed
  const layout = new RepoLayout(cacheDirectory(cacheDir), repository('repo', repo))
  const commit = await layout.commit(revision)
  if (commit !== undefined && (await entries(layout.snapshot(commit))).length > 0) {
    return { dir: layout.snapshot(commit), revision: commit }
  }
  throw new MillraceError(
    'MODEL_NOT_FOUND',
    `The model ${repo} (revision '${revision}') is not in the cache ${layout.cacheDir}. Download it with 'millrace models pull ${repo}'`,
  )
}

/** The repositories of a cache. */
export async function layoutsOf({ cacheDir, repo }: CacheOptions): Promise<RepoLayout[]> {
  const directory = cacheDirectory(cacheDir)
  const repos = (await entries(directory)).map(repoOfFolder).filter((name) => name !== undefined)
  return repos
    .filter((name) => repo === undefined || name === repo)
    .sort()
    .map((name) => new RepoLayout(directory, name))
}

/** One model. */
export async function readModel(layout: RepoLayout): Promise<CachedModel> {
  const refs = await readRefs(layout)
  const revisions: CachedRevision[] = []
  for (const commit of (await entries(layout.snapshots)).sort()) {
    const dir = layout.snapshot(commit)
    const files = (await walk(dir)).filter((file) => !isTemporary(file))
    const read = await Promise.all(files.map((file) => readFileEntry(dir, file)))
    const sizeBytes = read.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0)
    const its = [...refs].filter(([, target]) => target === commit).map(([ref]) => ref)
    revisions.push({ commit, refs: its, dir, sizeBytes, files: read })
  }
  return { repo: layout.repo, path: layout.root, sizeBytes: await sizeOnDisk(layout.root), revisions }
}

async function readFileEntry(dir: string, file: string): Promise<CachedFile> {
  const path = join(dir, ...file.split('/'))
  const found = await stat(path).catch(() => undefined)
  return { file, path, ...(found !== undefined && { sizeBytes: found.size }) }
}

/** Commits by branch or tag. */
async function readRefs(layout: RepoLayout): Promise<Map<string, string>> {
  const refs = new Map<string, string>()
  for (const ref of await walk(layout.refs)) {
    refs.set(ref, (await readFile(layout.ref(ref), 'utf8').catch(() => '')).trim())
  }
  return refs
}

/** Links count nothing, and a file with several names counts once. */
async function sizeOnDisk(root: string): Promise<number> {
  const sizes = new Map<string, number>()
  for (const file of await walk(root)) {
    const found = await lstat(join(root, file)).catch(() => undefined)
    if (found?.isFile()) sizes.set(`${found.dev} ${found.ino}`, found.size)
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

/** Names in a directory; none when it is absent. */
export async function entries(directory: string): Promise<string[]> {
  return readdir(directory).catch((error) => {
    if (isMissing(error)) return []
    throw error
  })
}

/** All files and links below a directory, as paths with `/`. Links are not followed. */
export async function walk(directory: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true }).catch((error) => {
    if (isMissing(error)) return []
    throw error
  })
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}
