/** Connections to PostgreSQL that can be let go of, whatever the server does or does not. */

import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../../../base/errors.js'
import { isError } from '../../../base/foreign.js'
import { importPeer } from '../../../peers/peer.js'
import { storeFailure } from '../shared/search.js'
import type { PgClient, PgOptions } from './options.js'

/** A server that takes longer to greet is away or something else; pg itself would wait for ever. `?connectionTimeoutMillis=` wins. */
const CONNECT_MS = 10_000

/** How long a server may take to say goodbye. A run that was aborted ends within a second in all. */
const FAREWELL_MS = 250

type Rows = { rows: Record<string, unknown>[] }

/** What is used of pg's own client. Its stream is the only way out of a connection whose server does not answer. */
interface OwnClient extends PgClient {
  connect(): Promise<unknown>
  end(): Promise<void>
  on(event: 'error', listener: () => void): void
  readonly connection: { readonly stream: { destroy(): void } }
}

/** A connection of our own, or a client of the caller's. */
export class Connection {
  readonly #client: PgClient
  readonly #own: OwnClient | undefined
  /** Queries that the server has not answered. */
  #pending = 0

  private constructor(client: PgClient, own: OwnClient | undefined) {
    this.#client = client
    this.#own = own
  }

  /**
   * Connects, unless a client is given. An abort ends the wait.
   *
   * @throws MillraceError SINK_FAILED where the server cannot be reached, PACKAGE_NOT_FOUND; or `signal.reason`.
   */
  static async open(
    { client, connectionString }: PgOptions,
    user: string,
    signal: AbortSignal | undefined,
  ): Promise<Connection> {
    if (client !== undefined) return new Connection(client, undefined)
    type Package = { default: { Client: new (options: object) => OwnClient } }
    const pg = await importPeer<Package>('pg', '8', user)
    signal?.throwIfAborted()
    const own = clientOf(
      () => new pg.default.Client({ connectionString, connectionTimeoutMillis: CONNECT_MS, keepAlive: true }),
    )
    // A connection that breaks is an error of the query under way, or of the next.
    own.on('error', () => {})
    const onAbort = () => own.connection.stream.destroy()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await own.connect()
      return new Connection(own, own)
    } catch (cause) {
      own.connection.stream.destroy()
      if (signal?.aborted === true) throw signal.reason
      throw storeFailure('The database', 'cannot be reached', cause)
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Runs a statement. */
  async query(text: string, values?: unknown[]): Promise<Rows> {
    this.#pending++
    try {
      return await this.#client.query(text, values)
    } finally {
      this.#pending--
    }
  }

  /** Breaks the connection: what waits for an answer rejects. A client of the caller's is left alone. */
  sever(): void {
    this.#own?.connection.stream.destroy()
  }

  /**
   * Runs `last`, such as a rollback, and ends a connection of our own. A server that does not answer in time is left alone: it undoes by itself what
   * was not committed when it sees that the connection is gone.
   */
  async end(last?: string): Promise<void> {
    if (this.#pending > 0) {
      this.sever()
      // Behind the query that waits; a client that was given must not stay inside a transaction.
      if (this.#own === undefined && last !== undefined) this.query(last).catch(() => {})
      return
    }
    const said = (async () => {
      if (last !== undefined) await this.query(last)
      await this.#own?.end()
      return true
    })()
    said.catch(() => {})
    const answered = await Promise.race([said, sleep(FAREWELL_MS, false, { ref: true })])
    if (!answered) this.sever()
  }
}

function clientOf(make: () => OwnClient): OwnClient {
  try {
    return make()
  } catch (cause) {
    // The parser's own message and error hold the address, and with it the password.
    throw new MillraceError(
      'INVALID_OPTION',
      'Expected an address as postgres://user@host:5432/database for connectionString',
      {
        cause: new Error(isError(cause) ? cause.name : 'Invalid address'),
      },
    )
  }
}

/** @throws MillraceError SINK_FAILED where the database cannot hold vectors. */
export async function requireExtension(connection: Connection): Promise<void> {
  const { rows } = await connection.query(`SELECT FROM pg_extension WHERE extname = 'vector'`)
  if (rows.length > 0) return
  throw new MillraceError(
    'SINK_FAILED',
    'The database lacks the extension pgvector: run CREATE EXTENSION vector',
  )
}
