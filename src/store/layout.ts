/**
 * Where things lie in the hub's cache: `models--org--name/{blobs,refs,snapshots,.no_exist}`, shared with the hub's
 * other clients. Blobs are named by their content's hash; a snapshot is a directory of links to them. Only paths here.
 */

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../base/durable.js'

/** Paths of one repository in the cache. */
export class RepoLayout {
  readonly root: string
  readonly cacheDir: string
  readonly repo: string

  constructor(cacheDir: string, repo: string) {
    this.cacheDir = cacheDir
    this.repo = repo
    this.root = join(cacheDir, `models--${repo.replaceAll('/', '--')}`)
  }

  get blobs(): string {
    return join(this.root, 'blobs')
  }

  blob(etag: string): string {
    return join(this.blobs, etag)
  }

  /**
   * What has arrived of a blob. The name is ours alone: other clients append to names of theirs. It names the file too,
   * because files of equal content may come at the same time.
   */
  partial(etag: string, file: string): string {
    const ofFile = createHash('sha256').update(file).digest('hex').slice(0, 8)
    return this.blob(`${etag}.${ofFile}${PARTIAL}`)
  }

  get refs(): string {
    return join(this.root, 'refs')
  }

  /** File that holds the commit of a branch or tag. */
  ref(revision: string): string {
    return join(this.refs, ...revision.split('/'))
  }

  get snapshots(): string {
    return join(this.root, 'snapshots')
  }

  snapshot(commit: string): string {
    return join(this.snapshots, commit)
  }

  file(commit: string, file: string): string {
    return join(this.snapshot(commit), ...file.split('/'))
  }

  /** Empty file that says the hub has no such file in this commit. */
  absent(commit: string, file: string): string {
    return join(this.absences(commit), ...file.split('/'))
  }

  absences(commit: string): string {
    return join(this.root, '.no_exist', commit)
  }

  /** Our record of what was verified; other clients do not look here. */
  record(commit: string): string {
    return join(this.root, '.millrace', `${commit}.json`)
  }

  /** Directory of the lock between processes. */
  get locks(): string {
    return join(this.cacheDir, '.locks', `models--${this.repo.replaceAll('/', '--')}`, 'millrace')
  }

  /** The commit of a revision as the cache has it. */
  async commit(revision: string): Promise<string | undefined> {
    if (isCommit(revision)) return revision
    const commit = await readFile(this.ref(revision), 'utf8').catch((error) => {
      if (isMissing(error)) return ''
      throw error
    })
    return isCommit(commit.trim()) ? commit.trim() : undefined
  }
}

/** End of the name of a file that is still being downloaded. */
export const PARTIAL = '.millrace.incomplete'

/** A full commit hash never moves; anything else is a branch or tag. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision)
}

/** The repository of a directory of the cache. */
export function repoOfFolder(name: string): string | undefined {
  return name.startsWith('models--') ? name.slice('models--'.length).replaceAll('--', '/') : undefined
}

/** `name` or `organisation/name`, as the hub allows them; `--` would be two repositories in one directory. */
export function isRepo(value: string): boolean {
  return /^(?!.*(--|\.\.))[\w][\w.-]*(\/[\w][\w.-]*)?$/.test(value) && value.length <= 96 + 1 + 96
}

/** A relative path with `/` between its parts that stays inside its directory on every system. */
export function isInside(value: string): boolean {
  return (
    /^[^\\:\0]+$/.test(value) &&
    value.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  )
}
