/**
 * From a model's name on the hub to a directory of its files: the cache when it is complete, else a download under the
 * repository's lock. It loads nothing and knows no model by name.
 */

import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { systemCode } from '../base/durable.js'
import { MillraceError } from '../base/errors.js'
import { isError } from '../base/foreign.js'
import { isRecord } from '../base/is.js'
import { acquireLock, LOCK_TIMING, LockLost, type LockTiming } from '../base/lock.js'
import { assertUsable, type Cached, findCached, isComplete } from './cached.js'
import { hubToken } from './environment.js'
import { fetchSnapshot } from './fetch-snapshot.js'
import { MODULES, type ModuleEntry, moduleFiles, TOKENIZER } from './files.js'
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
 * The directory of a model's files, downloaded if they are not in the cache. Where `modules.json` is among the optional files, the files of
 * the modules that it lists are too (`2_Dense/model.safetensors`), and the tokenizer may lie in a folder of its own. Files are verified (size and hash) when they
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
  const { required = [], optional = [] } = options.files ?? {}
  if (!optional.includes(MODULES)) return await resolveFiles(options, timing)
  // A Transformer with a folder of its own has its tokenizer there.
  const others = required.filter((file) => file !== TOKENIZER)
  if (others.length === 0) return await resolveFiles(options, timing)
  const wanted = required.length === others.length ? optional : [TOKENIZER, ...optional]
  const found = await resolveFiles({ ...options, files: { required: others, optional: wanted } }, timing)
  // Which folders there are, and which files of theirs are needed, is only known now.
  const more = moduleFiles(await readModules(found))
  const hasTokenizer = [...found.files, ...more].some((file) => basename(file) === TOKENIZER)
  if (!hasTokenizer && required.includes(TOKENIZER)) return await resolveFiles(options, timing)
  if (more.length === 0) return found
  const files = { required: others, optional: [...wanted, ...more] }
  return await resolveFiles({ ...options, revision: found.revision, files }, timing)
}

/** The modules of a repository. A file that cannot be read names none: whoever loads the model tells what is wrong with it. */
async function readModules({ dir, files }: ResolvedModel): Promise<ModuleEntry[]> {
  if (!files.includes(MODULES)) return []
  try {
    const list: unknown = JSON.parse(await readFile(join(dir, MODULES), 'utf8'))
    if (!Array.isArray(list)) return []
    return list.flatMap((entry: unknown) => {
      const { path, type } = isRecord(entry) ? entry : {}
      return typeof path === 'string' && typeof type === 'string' ? [{ path, type }] : []
    })
  } catch {
    return []
  }
}

/** The files as they are named, without what `modules.json` leads to. */
async function resolveFiles(options: ResolveOptions, timing: StoreTiming): Promise<ResolvedModel> {
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
