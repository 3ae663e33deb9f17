/** The folder that packed packages go into. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Removes the packages of an earlier run and nothing else: `--out .` names a folder with other files in it, which deleting
 * the folder would take along.
 */
export function clearPackages(out) {
  mkdirSync(out, { recursive: true })
  for (const name of readdirSync(out)) {
    if (name === 'packages.json' || /^millrace-.*\.tgz$/.test(name)) rmSync(join(out, name))
  }
}
