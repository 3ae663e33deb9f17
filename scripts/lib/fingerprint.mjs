/**
 * A cheap answer to "have these files changed since last time?": names, sizes and modification times, no contents.
 * Stamps live in .millrace/, which git ignores and which may be deleted at any time.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './run.mjs'

const STAMPS = join(ROOT, '.millrace')

/** Fingerprint of files and whole directories, relative to the repository; missing ones count as missing. */
export function fingerprint(paths) {
  const hash = createHash('sha256')
  const add = (path) => {
    const full = join(ROOT, path)
    if (!existsSync(full)) return hash.update(`${path} missing\n`)
    const stat = statSync(full)
    if (!stat.isDirectory()) return hash.update(`${path} ${stat.size} ${stat.mtimeMs}\n`)
    for (const name of readdirSync(full).sort()) add(`${path}/${name}`)
    return hash
  }
  for (const path of paths) add(path)
  return hash.digest('hex')
}

const stampFile = (name) => join(STAMPS, name)

export function isCurrent(name, print) {
  return existsSync(stampFile(name)) && readFileSync(stampFile(name), 'utf8') === print
}

export function remember(name, print) {
  mkdirSync(STAMPS, { recursive: true })
  writeFileSync(stampFile(name), print)
}
