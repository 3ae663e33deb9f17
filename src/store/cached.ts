/** What of a wanted model is in the cache, and what is wrong with it. It uses no network. */

import { access } from 'node:fs/promises'
import { MillraceError } from '../base/errors.js'
import { inspectFile } from './inspect.js'
import { isCommit } from './layout.js'
import type { ParsedResolve } from './options.js'
import { readVerified, type VerifiedFiles, writeVerified } from './record.js'

/** The wanted files as the cache has them. */
export interface Cached {
  /** Absent when the cache does not know the branch or tag. */
  commit?: string
  /** Files that are there and right. */
  present: string[]
  /** Required files that are not there. */
  missing: string[]
  /** Optional files that are not there, and nothing says that the hub has none. */
  unknown: string[]
  /** Files whose content is wrong, and how. */
  damaged: Map<string, string>
  verified: VerifiedFiles
}

/** Looks for the files in a commit, or in the one that the cache has for the revision. */
export async function findCached(wanted: ParsedResolve, ofCommit?: string): Promise<Cached> {
  const { layout, required, optional, revision, signal } = wanted
  const commit = ofCommit ?? (await layout.commit(revision))
  const cached: Cached = { present: [], missing: [], unknown: [], damaged: new Map(), verified: new Map() }
  if (commit === undefined) return { ...cached, missing: [...required], unknown: [...optional] }
  const verified = await readVerified(layout.record(commit))
  const before = JSON.stringify([...verified])
  for (const file of [...required, ...optional]) {
    const found = await inspectFile(layout, commit, file, verified, { signal })
    if (found.state === 'damaged') cached.damaged.set(file, found.reason)
    else if (found.state !== 'missing') cached.present.push(file)
    else if (required.includes(file)) cached.missing.push(file)
    else if (!(await exists(layout.absent(commit, file)))) cached.unknown.push(file)
  }
  if (JSON.stringify([...verified]) !== before) await writeVerified(layout.record(commit), verified)
  return { ...cached, commit, verified }
}

/** Whether nothing need be downloaded. */
export function isComplete({ commit, missing, unknown, damaged }: Cached): boolean {
  return commit !== undefined && missing.length === 0 && unknown.length === 0 && damaged.size === 0
}

/**
 * Throws what is wrong with a cache that cannot be completed: the network is off. An optional file that nobody ever
 * asked the hub for is nothing wrong.
 */
export function assertUsable({ commit, missing, damaged }: Cached, wanted: ParsedResolve): void {
  const { layout, revision, offline, pullAs: name } = wanted
  for (const [file, reason] of damaged) {
    throw new MillraceError(
      'MODEL_INVALID',
      `The cached file ${layout.file(commit ?? revision, file)} is damaged: ${reason}. It is downloaded again when the ` +
        `network may be used; now it may not: ${offline}`,
    )
  }
  if (commit !== undefined && missing.length === 0) return
  const places =
    commit === undefined
      ? [`revision '${revision}' at ${layout.ref(revision)}`]
      : missing.map((file) => `${file} at ${layout.file(commit, file)}`)
  const others = isCommit(revision) ? '' : ` (revision '${revision}')`
  const remedy =
    name === undefined
      ? 'Load it once where there is a network'
      : `Download it with 'millrace models pull ${name}' where there is a network`
  throw new MillraceError(
    'OFFLINE',
    `The model ${layout.repo}${others} is not in the cache, and it may not be downloaded: ${offline}. Missing: ` +
      `${commit === undefined ? `${missing.join(', ')}; looked for ` : ''}${places.join(', ')}. ${remedy}, or give a ` +
      "model's directory as modelPath",
  )
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
