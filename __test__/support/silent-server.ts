/** A server that accepts connections and never says anything, as one that hangs behind a load balancer. */
import { createServer, type Socket } from 'node:net'

export interface SilentServer {
  readonly port: number
  /** Resolves when somebody has connected. */
  readonly connected: Promise<void>
  /** Connections that are open. */
  open(): number
  stop(): Promise<void>
}

export async function silentServer(): Promise<SilentServer> {
  const sockets = new Set<Socket>()
  let onConnection: () => void = () => {}
  const connected = new Promise<void>((resolve) => {
    onConnection = resolve
  })
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('data', () => onConnection())
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    connected,
    open: () => sockets.size,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
