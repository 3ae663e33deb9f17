/**
 * The files of a folder and of those inside it. What the system does not let us look at is told, never passed over: whoever takes a file that
 * could not be seen for one that is gone deletes it from the store. Files are not opened here.
 */

import { isUtf8 } from 'node:buffer'
import type { BigIntStats } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { extname } from 'node:path'
import type { MillraceError } from '../../base/errors.js'
import { codeOf } from '../../base/foreign.js'
import { cannotRead } from './named.js'

/** What is taken of a folder. */
export interface WalkOptions {
  extensions: readonly string[]
  filter: (path: string) => boolean
  followLinks: boolean
  hidden: boolean
}

/** A file, or something that could not be looked at. */
export interface Found {
  /** Path in the folder, with `/`; that of a folder ends with `/`. */
  id: string
  /** Where it is, in the bytes that the system has. */
  path: Buffer
  error?: MillraceError
}

/** A folder that is being looked through. */
interface OpenFolder {
  id: string
  path: Buffer
  /** Device and inode of it and of those above it, where links are followed. */
  open: readonly string[]
}

const SEPARATOR = Buffer.from('/')

/**
 * Files in the order of their paths.
 *
 * @throws the system's error where the folder itself cannot be read.
 */
export async function* walk(root: string, options: WalkOptions): AsyncGenerator<Found, void, undefined> {
  const path = Buffer.from(root)
  const open = options.followLinks ? [identityOf(await stat(path, { bigint: true }))] : []
  yield* filesOf({ id: '', path, open }, await readdir(path, { encoding: 'buffer' }), options)
}

async function* filesOf(
  folder: OpenFolder,
  names: readonly Buffer[],
  options: WalkOptions,
): AsyncGenerator<Found, void, undefined> {
  const { extensions, filter, followLinks, hidden } = options
  for (const bytes of [...names].sort(byCodeUnits)) {
    const name = nameOf(bytes)
    if (name === 'node_modules' || (!hidden && name.startsWith('.'))) continue
    const id = folder.id + name
    const path = Buffer.concat([folder.path, SEPARATOR, bytes])
    let found: BigIntStats
    try {
      found = await (followLinks ? stat : lstat)(path, { bigint: true })
    } catch (cause) {
      // Nobody knows what it is, so it may be what was asked for.
      if (!leadsNowhere(cause) && (filter(id) || filter(`${id}/`)))
        yield { id, path, error: problem(path, cause) }
      continue
    }
    if (found.isFile()) {
      if (extensions.includes(extname(name).toLowerCase()) && filter(id)) yield { id, path }
    } else if (found.isDirectory() && filter(`${id}/`)) {
      const identity = identityOf(found)
      // A link to a folder that it is in would be followed for ever.
      if (followLinks && folder.open.includes(identity)) continue
      const inner = { id: `${id}/`, path, open: followLinks ? [...folder.open, identity] : [] }
      let innerNames: Buffer[]
      try {
        innerNames = await readdir(path, { encoding: 'buffer' })
      } catch (cause) {
        if (!leadsNowhere(cause)) yield { id: inner.id, path, error: problem(path, cause) }
        continue
      }
      yield* filesOf(inner, innerNames, options)
    }
  }
}

/** A link whose target is gone or that leads to itself, or a file that was removed just now: for all there is nothing to read. */
function leadsNowhere(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ENOENT' || code === 'ELOOP'
}

const problem = (path: Buffer, cause: unknown) => cannotRead(nameOf(path), cause)

const identityOf = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`

/** As JavaScript sorts strings, which earlier versions did: the order is part of what a store looks like. */
function byCodeUnits(a: Buffer, b: Buffer): number {
  const [left, right] = [nameOf(a), nameOf(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

/** The name as text; bytes that are no UTF-8 are written `\xe9`, so that two such names stay two. */
function nameOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString()
  let name = ''
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((n) => at + n <= bytes.length && isUtf8(bytes.subarray(at, at + n)))
    name +=
      length === undefined
        ? `\\x${bytes.toString('hex', at, at + 1)}`
        : bytes.toString('utf8', at, at + length)
    at += length ?? 1
  }
  return name
}
