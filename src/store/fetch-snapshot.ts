/** Completes one snapshot from the hub. The caller holds the repository's lock. */

import { showBlob, writeWhole } from '../base/durable.js'
import { MillraceError } from '../base/errors.js'
import { type Cached, findCached } from './cached.js'
import { downloadBlob } from './download.js'
import type { Hub } from './hub.js'
import { isCommit } from './layout.js'
import type { ParsedResolve } from './options.js'
import { ProgressReport } from './progress.js'
import { writeVerified } from './record.js'
import { HubFailure, type NetworkTiming, withRetries } from './retry.js'

/** Small files come together; a large one alone fills the line. */
const FILES_AT_ONCE = 4

/**
 * Downloads what is missing or damaged, then lets the branch or tag stand for the commit. `stop` ends it; an error of
 * the caller's progress callback ends up in `stop`'s reason too.
 */
export async function fetchSnapshot(
  wanted: ParsedResolve,
  hub: Hub,
  stop: AbortController,
  timing: NetworkTiming,
): Promise<Cached> {
  const { layout, revision, required, optional } = wanted
  const { signal } = stop
  const commit = isCommit(revision) ? revision : await commitOf(wanted, hub, signal, timing)
  const cached = await findCached(wanted, commit)
  const open = [...cached.missing, ...cached.unknown, ...cached.damaged.keys()]
  const filesTotal = required.length + optional.length
  const progress = new ProgressReport(wanted, filesTotal, filesTotal - open.length, stop)

  const one = async (file: string) => {
    const view = progress.of(file)
    try {
      const job = { hub, layout, commit, file, signal, timing, onBytes: view.update }
      const verified = await downloadBlob(job)
      // A copy that was damaged is replaced; a link to a mended blob need not be.
      await showBlob(layout.blob(verified.etag), layout.file(commit, file))
      cached.verified.set(file, verified)
    } catch (error) {
      if (!isAbsent(error) || required.includes(file)) throw named(error, wanted, file)
      await writeWhole(layout.absent(commit, file), '')
    }
    view.done()
  }
  const queue = [...open]
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) await one(file)
  }
  await together(Array.from({ length: FILES_AT_ONCE }, worker), stop)

  await writeVerified(layout.record(commit), cached.verified)
  if (!isCommit(revision) && (await layout.commit(revision)) !== commit) {
    await writeWhole(layout.ref(revision), commit)
  }
  return findCached(wanted, commit)
}

/** The commit of a branch or tag, by asking for a file that must be there. */
async function commitOf(
  { layout, revision, required }: ParsedResolve,
  hub: Hub,
  signal: AbortSignal,
  timing: NetworkTiming,
): Promise<string> {
  const file = required[0] as string // checked: there is one
  try {
    const ask = () => hub.open('HEAD', { repo: layout.repo, revision, file }, signal)
    const answer = await withRetries(ask, timing, signal)
    answer.discard()
    return answer.file.commit
  } catch (error) {
    throw named(error, { layout, revision }, file)
  }
}

/** The file is not in the repository; not that there is no repository. */
function isAbsent(error: unknown): boolean {
  if (!(error instanceof HubFailure) || error.status !== 404) return false
  return error.hubCode === undefined || error.hubCode === 'EntryNotFound'
}

/** A failure of the hub as an error of the library. */
function named(
  error: unknown,
  { layout, revision }: Pick<ParsedResolve, 'layout' | 'revision'>,
  file: string,
): unknown {
  if (!(error instanceof HubFailure)) return error
  const { status, hubCode } = error
  const what = `${file} of ${layout.repo} (revision '${revision}')`
  const cause = { cause: error }
  if (hubCode === 'GatedRepo') {
    const message = `${what} is only for those who accepted its terms: ${error.message}. Accept them on the hub, and give a token (HF_TOKEN)`
    return new MillraceError('DOWNLOAD_FAILED', message, cause)
  }
  if (status === 401 || status === 403) {
    const message = `The hub does not give ${what}: ${error.message}. The name is wrong, or it needs a token that may read it (HF_TOKEN)`
    return new MillraceError('DOWNLOAD_FAILED', message, cause)
  }
  if (status === 404) {
    const missing =
      hubCode === 'RepoNotFound' ? layout.repo : hubCode === 'RevisionNotFound' ? revision : file
    return new MillraceError('MODEL_NOT_FOUND', `The hub has no ${what}: '${missing}' is not there`, cause)
  }
  return new MillraceError('DOWNLOAD_FAILED', `${what} could not be downloaded: ${error.message}`, cause)
}

/** Waits for all; the first failure stops the others and is the one thrown. */
async function together(tasks: Promise<void>[], stop: AbortController): Promise<void> {
  let failed: { error: unknown } | undefined
  await Promise.all(
    tasks.map((task) =>
      task.catch((error) => {
        failed ??= { error: stop.signal.aborted ? stop.signal.reason : error }
        stop.abort(failed.error)
      }),
    ),
  )
  if (failed !== undefined) throw failed.error
}
