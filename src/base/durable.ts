/** Changes to files that survive a crash: written beside, flushed, renamed, the directory flushed. Whole files or none. */

import { randomUUID } from 'node:crypto'
import { fdatasync, fsync } from 'node:fs'
import { link, mkdir, open, rename, rm, symlink } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { promisify } from 'node:util'
import { codeOf } from './foreign.js'

/** The code of a system error. */
export function systemCode(error: unknown): string | undefined {
  return codeOf(error)
}

/** Nothing is there. */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

const fsyncOf = promisify(fsync)
const fdatasyncOf = promisify(fdatasync)

/**
 * Flushes a file. By its descriptor: the file system that Yarn's Plug'n'Play puts before Node's has file handles without `sync` and
 * `datasync`, and nothing could be downloaded or kept there.
 */
export function syncFile({ fd }: { readonly fd: number }): Promise<void> {
  return fsyncOf(fd)
}

/** As {@link syncFile}, without the times of the file. */
export function syncData({ fd }: { readonly fd: number }): Promise<void> {
  return fdatasyncOf(fd)
}

/** Flushes the directory's entries; where directories cannot be opened (Windows), the file system does it alone. */
export async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, 'r')
    try {
      await syncFile(directory)
    } finally {
      await directory.close()
    }
  } catch (error) {
    if (!['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP'].includes(systemCode(error) ?? '')) throw error
  }
}

/** Replaces the file's content in one step; directories on the way are made. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await beside(path, async (temporary) => {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(content)
      await syncFile(file)
    } finally {
      await file.close()
    }
  })
}

/** Moves a finished, flushed file to its place. */
export async function moveInto(from: string, to: string): Promise<void> {
  await rename(from, to)
  await syncDirectory(dirname(to))
}

/**
 * Makes `path` show the blob: a relative symbolic link; where the system refuses those, a second name of the same file;
 * where it refuses that too, the blob itself, moved.
 */
export async function showBlob(blob: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await beside(path, async (temporary) => {
    try {
      await symlink(relative(dirname(path), blob), temporary, 'file')
    } catch (error) {
      if (isMissing(error) || systemCode(error) === 'ENOSPC') throw error
      // Names of a shared file are one file: damage is seen, and mended, under both.
      await link(blob, temporary).catch(() => rename(blob, temporary))
    }
  })
}

/** Whether it is the name of something half made, which a process that was killed left behind. */
export function isTemporary(path: string): boolean {
  return /\.[0-9a-f]{8}\.tmp$/.test(path)
}

async function beside(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`
  try {
    await make(temporary)
    await moveInto(temporary, path)
  } finally {
    // After a rename between two names of one file, POSIX leaves both.
    await rm(temporary, { force: true })
  }
}
