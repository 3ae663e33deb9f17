/** Reads every file of the cache and says which are damaged. It repairs nothing: the next use online does. */

import { parseOptions } from '../options/check.js'
import { inspectFile } from './inspect.js'
import { type CacheOptions, cacheChecks, layoutsOf, readModel } from './list.js'
import { readVerified, writeVerified } from './record.js'

/** What is known of one file. */
export interface VerifiedFile {
  repo: string
  commit: string
  /** Path in the repository. */
  file: string
  path: string
  /** `unverifiable`: nothing says what its content should be. `missing`: a link that leads nowhere. */
  state: 'intact' | 'damaged' | 'missing' | 'unverifiable'
  /** Of a damaged file: what was expected and found. */
  reason?: string
}

/** Which files, and how to stop. */
export interface VerifyOptions extends CacheOptions {
  signal?: AbortSignal | undefined
  /** Called after each file. */
  onFile?: ((file: VerifiedFile) => void) | undefined
}

/** Verifies all files of the cache, or of one model, by reading them whole. */
export async function verifyModels({
  signal,
  onFile,
  ...options
}: VerifyOptions = {}): Promise<VerifiedFile[]> {
  const results: VerifiedFile[] = []
  for (const layout of await layoutsOf(parseOptions('verifyModels', options, cacheChecks))) {
    const { repo, revisions } = await readModel(layout)
    for (const { commit, files } of revisions) {
      const verified = await readVerified(layout.record(commit))
      for (const { file, path } of files) {
        signal?.throwIfAborted()
        const { state, ...found } = await inspectFile(layout, commit, file, verified, { full: true, signal })
        const reason = 'reason' in found && { reason: found.reason }
        const result = { repo, commit, file, path, state, ...reason }
        results.push(result)
        onFile?.(result)
      }
      // What is damaged is marked, so that the next use finds it too.
      await writeVerified(layout.record(commit), verified)
    }
  }
  return results
}
