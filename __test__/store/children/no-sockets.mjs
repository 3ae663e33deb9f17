/** Preloaded: whoever looks up a name or opens a socket is told so, and counted in the environment's file. */

import dgram from 'node:dgram'
import dns from 'node:dns'
import { appendFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

function forbid(object, name) {
  object[name] = () => {
    appendFileSync(process.env.SOCKET_LOG, `${name}\n`)
    throw new Error(`${name} was called`)
  }
}

forbid(net.Socket.prototype, 'connect')
forbid(dgram.Socket.prototype, 'send')
for (const name of ['lookup', 'resolve', 'resolve4', 'resolve6']) {
  forbid(dns, name)
  forbid(dns.promises, name)
}
syncBuiltinESMExports()
