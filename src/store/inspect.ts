/** Whether one file of a snapshot is there and whole. It repairs nothing. */

import { readlink, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { isMissing, systemCode } from '../base/durable.js'
import { digestKind, digestOf } from './digest.js'
import type { RepoLayout } from './layout.js'
import { isUnchanged, type VerifiedFiles, verifiedNow } from './record.js'

/** How a file is. */
export type FileState =
  /** There, and its content is what its name promises. */
  | { state: 'intact'; size: number }
  /** There, but nothing says what its content should be. */
  | { state: 'unverifiable'; size: number }
  | { state: 'missing' }
  /** `reason`: what was expected and found. */
  | { state: 'damaged'; reason: string }

/**
 * Looks at a file. What `verified` knows and what has not changed since is not read again, unless `full`; what is read
 * is entered there, what is damaged is marked.
 */
export async function inspectFile(
  layout: RepoLayout,
  commit: string,
  file: string,
  verified: VerifiedFiles,
  { full = false, signal }: { full?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<FileState> {
  const path = layout.file(commit, file)
  const stats = await stat(path, { bigint: true }).catch((error) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (stats === undefined) return { state: 'missing' }
  if (!stats.isFile()) return { state: 'damaged', reason: 'it is not a file' }
  const size = Number(stats.size)
  const known = verified.get(file)
  const etag = (await linkedBlob(path)) ?? known?.etag
  const kind = etag === undefined ? undefined : digestKind(etag)
  if (known?.etag === etag && known !== undefined) {
    if (!full && isUnchanged(known, stats)) return { state: 'intact', size }
    if (known.size !== size) return damaged(`${size} bytes instead of ${known.size}`)
  }
  if (etag === undefined || kind === undefined) return { state: 'unverifiable', size }
  const digest = await digestOf(path, kind, size, signal)
  if (digest !== etag) return damaged(`its ${kind} is ${digest} instead of ${etag} (${size} bytes)`)
  verified.set(file, verifiedNow(etag, stats))
  return { state: 'intact', size }

  function damaged(reason: string): FileState {
    // A file that is no link has its etag only here, and must still be found wrong the next time.
    if (known !== undefined) verified.set(file, { etag: known.etag, size: known.size })
    return { state: 'damaged', reason }
  }
}

/** The name of the blob that a link leads to. */
async function linkedBlob(path: string): Promise<string | undefined> {
  try {
    return basename(await readlink(path))
  } catch (error) {
    // A file of its own: EINVAL, on Windows UNKNOWN.
    if (systemCode(error) !== undefined) return undefined
    throw error
  }
}
