/**
 * From a model's name on the hub to a directory of its files: the cache when it is complete, else a download under the
 * repository's lock. It loads nothing and knows no model by name.
 */

import { systemCode } from '../base/durable.js'
import { MillraceError } from '../base/errors.js'
import { isError } from '../base/foreign.js'
import { acquireLock, LOCK_TIMING, LockLost, type LockTiming } from '../base/lock.js'
import { assertUsable, type Cached, findCached, isComplete } from './cached.js'
import { hubToken } from './environment.js'
import { fetchSnapshot } from './fetch-snapshot.js'
import { Hub } from './hub.js'
import { type ParsedResolve, parseResolve, type ResolveOptions } from './options.js'
import { CallbackError } from './progress.js'
import { NETWORK_TIMING, type NetworkTiming } from './retry.js'

/** A model's files on this machine. */
export interface ResolvedModel {
  /** Directory that holds them under their names in the repository. */
  dir: string
  /** The commit they are of. */
  revision: string
  /** Which of the wanted files are there: all required ones, and the optional ones that exist. */
  files: readonly string[]
}

/** How patient the store is; tests are less so. */
export interface StoreTiming {
  network: NetworkTiming
  lock: LockTiming
}

const TIMING: StoreTiming = { network: NETWORK_TIMING, lock: LOCK_TIMING }

/**
 * The directory of a model's files, downloaded if they are not in the cache. Files are verified (size and hash) when they
 * arrive and whenever they have changed since; damaged ones are downloaded again. Concurrent calls, of other processes
 * too, download once.
 *
 * @throws MillraceError INVALID_OPTION; OFFLINE when files are missing and the network is off, MODEL_INVALID when one is
 * damaged and the network is off; MODEL_NOT_FOUND when the hub has no such repository, revision or file; DOWNLOAD_FAILED
 * with its `cause` for the rest. Rejects with `signal.reason` when aborted.
 */
export async function resolveModel(
  options: ResolveOptions,
  timing: StoreTiming = TIMING,
): Promise<ResolvedModel> {
  const wanted = parseResolve(options)
  const { signal, offline, refresh, layout } = wanted
  signal?.throwIfAborted()
  try {
    let cached = await findCached(wanted)
    if (offline !== undefined) assertUsable(cached, wanted)
    // A commit cannot move.
    else if (!isComplete(cached) || (refresh && cached.commit !== wanted.revision)) {
      cached = await download(wanted, timing)
    }
    const revision = cached.commit as string // complete, hence of a commit
    return { dir: layout.snapshot(revision), revision, files: cached.present }
  } catch (error) {
    signal?.throwIfAborted()
    throw error instanceof CallbackError ? error.cause : namedSystemError(error, wanted)
  }
}

async function download(wanted: ParsedResolve, timing: StoreTiming): Promise<Cached> {
  const { layout, signal, endpoint, refresh } = wanted
  const token = await hubToken(wanted.token)
  for (;;) {
    const lock = await acquireLock(layout.locks, signal, timing.lock)
    const stop = new AbortController()
    const ended = AbortSignal.any([lock.lost, ...(signal ? [signal] : [])])
    const onEnd = () => stop.abort(ended.reason)
    ended.addEventListener('abort', onEnd)
    const hub = new Hub(endpoint, token, timing.network)
    try {
      if (ended.aborted) onEnd()
      stop.signal.throwIfAborted()
      // Whoever held the lock may have done the work.
      const cached = refresh ? undefined : await findCached(wanted)
      if (cached !== undefined && isComplete(cached)) return cached
      return await fetchSnapshot(wanted, hub, stop, timing.network)
    } catch (error) {
      const reason = stop.signal.aborted ? stop.signal.reason : error
      if (!(reason instanceof LockLost)) throw reason
      // It is waited for again, and what has arrived by then is kept.
    } finally {
      ended.removeEventListener('abort', onEnd)
      await hub.close()
      await lock.release()
    }
  }
}

/** A full disk, or a cache that must not be written. */
function namedSystemError(error: unknown, { layout }: ParsedResolve): unknown {
  if (!isError(error) || !('syscall' in error) || systemCode(error) === undefined) return error
  return new MillraceError(
    'DOWNLOAD_FAILED',
    `The cache ${layout.cacheDir} cannot be used: ${error.message}; give a directory that can be written as cacheDir`,
    { cause: error },
  )
}
