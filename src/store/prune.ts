/**
 * Takes out of the cache what nothing uses: unfinished downloads, blobs that no snapshot shows, and, when asked, snapshots
 * that no branch or tag stands for. What is new is left alone, because another client may be about to use it.
 */

import type { Stats } from 'node:fs'
import { lstat, readlink, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isTemporary } from '../base/durable.js'
import { tryLock } from '../base/lock.js'
import { boolean, type Checks, parseOptions } from '../options/check.js'
import { PARTIAL, type RepoLayout } from './layout.js'
import { type CacheOptions, cacheChecks, entries, layoutsOf, readModel, walk } from './list.js'

/** What to take out. */
export interface PruneOptions extends CacheOptions {
  /** Snapshots too that no branch or tag stands for; those pinned by commit hash are among them. @default false */
  detached?: boolean | undefined
  /** Only say what would be taken out. @default false */
  dryRun?: boolean | undefined
}

export interface Pruned {
  repo: string
  path: string
  bytes: number
  why: 'unfinished' | 'unused' | 'detached'
}

export interface PruneResult {
  removed: Pruned[]
  /** Sum over `removed`. */
  bytes: number
  /** Models that another process is downloading just now; they were left alone. */
  busy: string[]
}

const checks: Checks<PruneOptions> = { ...cacheChecks, detached: boolean, dryRun: boolean }

/** Other clients keep no lock that we could see; what they began so long ago was given up. */
const GIVEN_UP_MS = 24 * 3_600_000

/** Between a blob's arrival and its link other clients need a moment. */
const SETTLED_MS = 3_600_000

/** Takes out what nothing uses, of all models or of one. */
export async function pruneModels(options?: PruneOptions): Promise<PruneResult> {
  const { detached = false, dryRun = false, ...which } = parseOptions('pruneModels', options, checks)
  const result: PruneResult = { removed: [], bytes: 0, busy: [] }
  for (const layout of await layoutsOf(which)) {
    const lock = await tryLock(layout.locks)
    if (lock === undefined) {
      result.busy.push(layout.repo)
      continue
    }
    try {
      const gone = detached ? await detachedOf(layout) : []
      const snapshots = gone.map(({ path }) => path)
      const removed = [...gone, ...(await unfinishedOf(layout)), ...(await unusedOf(layout, snapshots))]
      for (const { path } of dryRun ? [] : removed) await rm(path, { recursive: true, force: true })
      for (const path of dryRun ? [] : snapshots) await forget(layout, basename(path))
      result.removed.push(...removed)
    } finally {
      await lock.release()
    }
  }
  result.bytes = result.removed.reduce((sum, { bytes }) => sum + bytes, 0)
  return result
}

async function detachedOf(layout: RepoLayout): Promise<Pruned[]> {
  const { repo, revisions } = await readModel(layout)
  const gone = revisions.filter(({ refs }) => refs.length === 0)
  // Their blobs are counted where they are taken out.
  return Promise.all(
    gone.map(async ({ dir }) => ({ repo, path: dir, bytes: await ownBytes(dir), why: 'detached' as const })),
  )
}

async function unfinishedOf(layout: RepoLayout): Promise<Pruned[]> {
  const found: Pruned[] = []
  for (const name of await walk(layout.root)) {
    const ours = name.endsWith(PARTIAL) || isTemporary(name)
    if (!ours && !isPartial(name)) continue
    const path = join(layout.root, name)
    const { size, mtimeMs } = await lstat(path)
    if (!ours && Date.now() - mtimeMs < GIVEN_UP_MS) continue
    found.push({ repo: layout.repo, path, bytes: size, why: 'unfinished' })
  }
  return found
}

/** Blobs that nothing shows once the snapshots `gone` are away. */
async function unusedOf(layout: RepoLayout, gone: readonly string[]): Promise<Pruned[]> {
  const shown = { here: new Set<string>(), gone: new Set<string>() }
  for (const commit of await entries(layout.snapshots)) {
    const dir = layout.snapshot(commit)
    const blobs = gone.includes(dir) ? shown.gone : shown.here
    for (const file of await walk(dir)) {
      const path = join(dir, file)
      const link = await readlink(path).catch(() => undefined)
      // Without links, the file itself has two names.
      blobs.add(link === undefined ? inode(await lstat(path)) : basename(link))
    }
  }
  const found: Pruned[] = []
  for (const name of await entries(layout.blobs)) {
    const path = layout.blob(name)
    const stats = await lstat(path)
    const isIn = (blobs: Set<string>) => blobs.has(name) || blobs.has(inode(stats))
    if (!stats.isFile() || isPartial(name) || isIn(shown.here)) continue
    if (!isIn(shown.gone) && Date.now() - stats.ctimeMs < SETTLED_MS) continue
    found.push({ repo: layout.repo, path, bytes: stats.size, why: 'unused' })
  }
  return found
}

function isPartial(name: string): boolean {
  return name.endsWith('.incomplete')
}

function inode({ dev, ino }: Stats): string {
  return `${dev} ${ino}`
}

/** What is noted about a snapshot that is away. */
async function forget(layout: RepoLayout, commit: string): Promise<void> {
  await rm(layout.record(commit), { force: true })
  await rm(layout.absences(commit), { recursive: true, force: true })
}

/** Bytes of the files that are no links. */
async function ownBytes(dir: string): Promise<number> {
  let sum = 0
  for (const file of await walk(dir)) {
    const stats = await lstat(join(dir, file))
    if (stats.isFile() && stats.nlink === 1) sum += stats.size
  }
  return sum
}
