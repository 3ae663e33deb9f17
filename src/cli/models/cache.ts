/** `millrace models list`, `verify`, `prune` and `path`: they look at the cache and never use the network. */

import { MillraceError } from '../../base/errors.js'
import { cacheDirectory } from '../../store/environment.js'
import { type CachedModel, cachedDirectory, listModels } from '../../store/list.js'
import { type PruneResult, pruneModels } from '../../store/prune.js'
import { type VerifiedFile, verifyModels } from '../../store/verify.js'
import { bytes, count, painter, print, say } from '../terminal.js'
import type { Catalog } from './catalog.js'

/** What commander makes of the options. */
export interface CacheFlags {
  cacheDir?: string
  json?: boolean
}

export interface VerifyFlags extends CacheFlags {}

export interface PruneFlags extends CacheFlags {
  detached?: boolean
  dryRun?: boolean
}

const json = (value: unknown) => print(`${JSON.stringify(value, undefined, 2)}\n`)

/** As much of a commit as people compare. */
const SHOWN_COMMIT = 8

/** One line for each revision. */
export async function list({ cacheDir, json: asJson }: CacheFlags): Promise<void> {
  const models = await listModels({ cacheDir })
  if (asJson === true) return json(models)
  const rows = models.flatMap(rowsOf)
  const columns = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  for (const row of rows) {
    await print(
      `${row
        .map((cell, i) => cell.padEnd(columns[i] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    )
  }
  const total = models.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  say(`${count(models.length)} models, ${bytes(total)} in ${cacheDirectory(cacheDir)}`)
}

function rowsOf({ repo, sizeBytes, revisions }: CachedModel): string[][] {
  if (revisions.length === 0) return [[repo, '-', 'unfinished', '', bytes(sizeBytes)]]
  return revisions.map(({ commit, refs, files, sizeBytes }) => [
    repo,
    commit.slice(0, SHOWN_COMMIT),
    refs.join(',') || '-',
    `${files.length} files`,
    bytes(sizeBytes),
  ])
}

/** Whether all files are right. */
export async function verify(
  repos: readonly string[],
  { cacheDir, json: asJson }: VerifyFlags,
  signal: AbortSignal,
): Promise<boolean> {
  const results: VerifiedFile[] = []
  const paint = painter(process.stdout)
  for (const repo of eachOrAll(repos)) results.push(...(await verifyModels({ cacheDir, repo, signal })))
  const wrong = results.filter(({ state }) => state === 'damaged' || state === 'missing')
  if (asJson === true) await json({ ok: wrong.length === 0, files: results })
  else {
    for (const { repo, file, path, state, reason } of wrong) {
      await print(
        `${paint('red', state)}  ${repo} ${file}: ${reason ?? 'its link leads nowhere'} (${path})\n`,
      )
    }
    const unsure = results.filter(({ state }) => state === 'unverifiable').length
    const rest = unsure > 0 ? `, ${count(unsure)} without a hash to compare with` : ''
    say(`${count(results.length)} files, ${count(wrong.length)} wrong${rest}`)
    for (const repo of new Set(wrong.map(({ repo }) => repo))) {
      const files = new Set(wrong.flatMap((one) => (one.repo === repo ? [`--file ${one.file}`] : [])))
      say(`→ mend it: millrace models pull ${repo} ${[...files].join(' ')}`)
    }
  }
  return wrong.length === 0
}

/** Removes what nothing uses, and says what. */
export async function prune(
  repos: readonly string[],
  { cacheDir, json: asJson, detached, dryRun }: PruneFlags,
): Promise<void> {
  const result: PruneResult = { removed: [], bytes: 0, busy: [] }
  for (const repo of eachOrAll(repos)) {
    const { removed, bytes: freed, busy } = await pruneModels({ cacheDir, repo, detached, dryRun })
    result.removed.push(...removed)
    result.busy.push(...busy)
    result.bytes += freed
  }
  if (asJson === true) return json(result)
  for (const { repo, path, why, bytes: size } of result.removed) {
    await print(`${why}  ${repo}  ${bytes(size)}  ${path}\n`)
  }
  for (const repo of result.busy) say(`${repo} is being downloaded and was left alone`)
  say(`${dryRun === true ? 'would free' : 'freed'} ${bytes(result.bytes)}`)
}

/** A model's directory, or the cache's. */
export async function path(
  repo: string | undefined,
  { cacheDir, revision }: CacheFlags & { revision?: string },
  catalog: Catalog,
): Promise<void> {
  const known = repo === undefined || revision !== undefined ? undefined : catalog(repo)
  if (known !== undefined && 'note' in known) {
    if (known.dir === undefined)
      throw new MillraceError('MODEL_NOT_FOUND', `The model ${repo} has no directory: ${known.note}`)
    return print(`${known.dir}\n`)
  }
  if (repo === undefined) return print(`${cacheDirectory(cacheDir)}\n`)
  const find = (place: string) => cachedDirectory({ cacheDir, repo: place, revision })
  // What `create` takes goes first; a repository of the model's own name may be in the cache instead.
  const { dir } = await find(known?.repo ?? repo).catch((error: unknown) =>
    known === undefined || known.repo === repo ? Promise.reject(error) : find(repo),
  )
  await print(`${dir}\n`)
}

function eachOrAll(repos: readonly string[]): readonly (string | undefined)[] {
  return repos.length === 0 ? [undefined] : repos
}
