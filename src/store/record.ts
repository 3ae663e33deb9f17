/**
 * What was verified, so that a start does not hash a gigabyte again: for each file of a snapshot its etag, size and
 * time of change. A file that changed since is hashed anew. Losing the record costs time, nothing else.
 */

import type { BigIntStats } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { systemCode, writeWhole } from '../base/durable.js'
import { isRecord } from '../base/is.js'

/** A file as it was when its content was right. */
export interface Verified {
  etag: string
  size: number
  /** Time of change in nanoseconds, too long for a number. Absent since the content was found to be wrong. */
  modified?: string
}

export type VerifiedFiles = Map<string, Verified>

/** Raise it when the meaning of a field changes; other versions' records are not read. */
const VERSION = 1

export async function readVerified(path: string): Promise<VerifiedFiles> {
  const files: VerifiedFiles = new Map()
  try {
    const content: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (!isRecord(content) || content['version'] !== VERSION || !isRecord(content['files'])) return files
    for (const [file, value] of Object.entries(content['files'])) {
      if (!isRecord(value)) continue
      const { etag, size, modified } = value
      if (typeof etag !== 'string' || !Number.isSafeInteger(size)) continue
      const when = typeof modified === 'string' && /^\d+$/.test(modified) && { modified }
      files.set(file, { etag, size: size as number, ...when })
    }
  } catch {
    // Absent, unreadable or damaged: everything is hashed again.
  }
  return files
}

/** Where the cache cannot be written, the next start hashes again. */
export async function writeVerified(path: string, files: VerifiedFiles): Promise<void> {
  const content = JSON.stringify({ version: VERSION, files: Object.fromEntries(files) })
  await writeWhole(path, `${content}\n`).catch((error) => {
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '')) throw error
  })
}

export function verifiedNow(etag: string, { size, mtimeNs }: BigIntStats): Verified {
  return { etag, size: Number(size), modified: String(mtimeNs) }
}

/**
 * Whether the file is as it was. Container images and archives keep whole seconds only, so a time without a
 * fraction may stand for any of its second.
 */
export function isUnchanged(verified: Verified, { size, mtimeNs }: BigIntStats): boolean {
  if (verified.modified === undefined || BigInt(verified.size) !== size) return false
  const then = BigInt(verified.modified)
  return then === mtimeNs || (mtimeNs % SECOND === 0n && then / SECOND === mtimeNs / SECOND)
}

/** In nanoseconds. */
const SECOND = 1_000_000_000n
