/** Loaded first: a user id without an entry in the list of users, and HOME unset, as in a container that runs as any user. */

import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'

delete process.env.HOME
os.homedir = () => {
  throw Object.assign(
    new Error('A system error occurred: uv_os_homedir returned ENOENT (no such file or directory)'),
    {
      code: 'ERR_SYSTEM_ERROR',
      syscall: 'uv_os_homedir',
    },
  )
}
syncBuiltinESMExports()
