/** Says once a process that a caller asked for more threads or sessions than there are cores. */

import type { NativeModelInfo } from '../binding/types.js'

let warned = false

/** Warns if the model got fewer sessions or threads than were asked for and no warning went out before. */
export function warnOnceIfClamped({
  clamped,
  sessions,
  threadsPerSession,
  coresAllowed,
}: NativeModelInfo): void {
  if (warned || clamped === undefined) return
  warned = true
  const { parallel, threads, reason } = clamped
  const asked = [
    parallel === undefined ? [] : [`parallel ${parallel}`],
    threads === undefined ? [] : [`threads ${threads}`],
  ].flat()
  process.emitWarning(`More was asked for than this process may use: ${asked.join(', ')}`, {
    type: 'MillraceWarning',
    code: 'MILLRACE_CLAMPED',
    detail:
      `The process may use ${coresAllowed} core${coresAllowed === 1 ? '' : 's'} (${reason}), so the model has ${sessions} ` +
      `session${sessions === 1 ? '' : 's'} with ${threadsPerSession} thread${threadsPerSession === 1 ? '' : 's'} each.`,
  })
}
