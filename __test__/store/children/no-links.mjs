/** Preloaded: a file system without symbolic links, and without hard links too where NO_LINKS is `hard`. */

import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const refuse = (name) => async () => {
  throw Object.assign(new Error(`EPERM: operation not permitted, ${name}`), { code: 'EPERM', syscall: name })
}

fs.promises.symlink = refuse('symlink')
if (process.env.NO_LINKS === 'hard') fs.promises.link = refuse('link')
syncBuiltinESMExports()
