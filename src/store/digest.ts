/** What a blob's name promises of its content, and whether it holds. */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** Hashing pauses after this much, so that the event loop is never held longer than about a millisecond. */
const CHUNK = 1 << 20

/** An etag names the content's sha256 (large files) or its git blob sha1 (small ones); others promise nothing. */
export type DigestKind = 'sha256' | 'git-sha1'

export function digestKind(etag: string): DigestKind | undefined {
  if (/^[0-9a-f]{64}$/.test(etag)) return 'sha256'
  return /^[0-9a-f]{40}$/.test(etag) ? 'git-sha1' : undefined
}

/** The hash of a file's content, in lower-case hexadecimal; git's is over its size too. */
export async function digestOf(
  path: string,
  kind: DigestKind,
  size: number,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash(kind === 'sha256' ? 'sha256' : 'sha1')
  if (kind === 'git-sha1') hash.update(`blob ${size}\0`)
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK, ...(signal && { signal }) })) {
    hash.update(chunk as Buffer)
  }
  return hash.digest('hex')
}

/**
 * An etag header as the name of a file: without quotes and `W/`. An etag that is no hash and could be any text becomes
 * a hash of itself with a letter before it, which nothing takes for a hash of content.
 */
export function blobName(etag: string): string {
  const bare = etag.replace(/^W\//, '').replace(/^"(.*)"$/, '$1')
  if (digestKind(bare) !== undefined || /^(?=.*[^.])[\w-][\w.-]{0,99}$/.test(bare)) return bare
  return `x${createHash('sha256').update(bare).digest('hex')}`
}
