/** Talking to Qdrant: the client, requests that are tried again, and letting go of a server that does not answer. */

import { MillraceError } from '../../../base/errors.js'
import { isError } from '../../../base/foreign.js'
import { isRecord } from '../../../base/is.js'
import { type Backoff, backoffMs, retried } from '../../../base/retry.js'
import { importPeer } from '../../../peers/peer.js'
import type { QdrantClient, QdrantOptions } from './options.js'

/** How patient a caller is. */
export interface Patience {
  /** Requests in all, the first one included. */
  tries: number
  /** The pauses between them, where the server names none. */
  backoff: Backoff
}

/** The longest pause, whoever asks for it. */
const LONGEST_PAUSE_MS = 60_000

/** A server that restarts is back within seconds, so the first pause is short and the others double. */
const BACKOFF: Backoff = { firstMs: 500, longestMs: LONGEST_PAUSE_MS }

/** Half a minute in all: a server that restarts does not end an index that takes hours. */
export const PATIENT: Patience = { tries: 6, backoff: BACKOFF }

/** Two seconds in all: someone waits for the answer. */
export const HASTY: Patience = { tries: 3, backoff: BACKOFF }

/** The caller's client, or one of our own. */
export async function connect({ client, url, apiKey }: QdrantOptions, user: string): Promise<QdrantClient> {
  if (client !== undefined) return client
  type Client = new (options: object) => QdrantClient
  const module = await importPeer<{ QdrantClient: Client }>('@qdrant/js-client-rest', '~1.15.1', user)
  try {
    return new module.QdrantClient({
      url,
      checkCompatibility: false,
      ...(apiKey !== undefined && { apiKey }),
    })
  } catch (cause) {
    // The error of the parser holds the address, and with it a password.
    throw new MillraceError('INVALID_OPTION', 'Expected an address as http://localhost:6333 for url', {
      cause: new Error(isError(cause) ? cause.name : 'Invalid address'),
    })
  }
}

/**
 * Tries again what the server could not do now. Requests must be such that doing them twice is doing them once. `stopped` ends the trying, `left` the
 * waiting for an answer too: the client itself would wait for minutes.
 */
export function asked<T>(
  request: () => Promise<T>,
  patience: Patience,
  { stopped, left }: { stopped?: AbortSignal | undefined; left?: AbortSignal | undefined },
): Promise<T> {
  return retried(
    () => unlessLeft(request(), left),
    (error, failures) => (left?.aborted === true ? undefined : pauseAfter(error, failures, patience)),
    stopped,
  )
}

async function unlessLeft<T>(answer: Promise<T>, left: AbortSignal | undefined): Promise<T> {
  if (left === undefined) return answer
  let onAbort = () => {}
  const leaving = new Promise<never>((_, reject) => {
    onAbort = () => reject(left.reason)
    if (left.aborted) onAbort()
    else left.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([answer, leaving])
  } finally {
    left.removeEventListener('abort', onAbort)
  }
}

/** How long to wait, where trying again may help. */
function pauseAfter(error: unknown, failures: number, { tries, backoff }: Patience): number | undefined {
  if (failures >= tries) return undefined
  const { status, retry_after: after } = (isRecord(error) ? error : {}) as {
    status?: number
    retry_after?: number
  }
  const busy = status === 429 || (status !== undefined && status >= 500)
  const away = status === undefined && isError(error) && (error.name === 'TypeError' || 'cause' in error)
  const limited = typeof after === 'number'
  if (!busy && !away && !limited) return undefined
  return limited ? Math.min(after * 1000, LONGEST_PAUSE_MS) : backoffMs(failures, backoff)
}

/** Whether the server says that there is no such thing. */
export function isNotFound(error: unknown): boolean {
  return statusOf(error) === 404
}

/**
 * The answer, or nothing where the server has none for this key: one that is made for a single collection may neither see aliases nor make them.
 */
export async function ifAllowed<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if ([401, 403, 404, 405].includes(statusOf(error) ?? 0)) return undefined
    throw error
  }
}

/** The status of a client's error, or of the one that it caused. */
function statusOf(error: unknown): number | undefined {
  const { status, cause } = (isRecord(error) ? error : {}) as { status?: unknown; cause?: unknown }
  if (typeof status === 'number') return status
  return cause === undefined ? undefined : statusOf(cause)
}

/** The client's message is the status alone; what is wrong is in the answer. */
export function withReason(error: unknown): unknown {
  if (!isError(error) || !('data' in error)) return error
  const said = (error.data as { status?: { error?: unknown } } | undefined)?.status?.error
  if (typeof said !== 'string' || error.message.includes(said)) return error
  return Object.assign(
    new Error(`${error.message}: ${said}`, { cause: error }),
    'status' in error && { status: error.status },
  )
}
