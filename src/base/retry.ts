/**
 * Trying again what failed, with pauses between. Which failures are worth another try, and how long a server asks to be left
 * alone, is for the caller to say.
 */

import { setTimeout as sleep } from 'node:timers/promises'

/** Pauses that double from failure to failure, in milliseconds. */
export interface Backoff {
  firstMs: number
  longestMs: number
}

/** The pause after so many failures in a row: after the first one `firstMs`. */
export function backoffMs(failures: number, { firstMs, longestMs }: Backoff): number {
  return Math.min(longestMs, firstMs * 2 ** (failures - 1))
}

/**
 * Runs `attempt` until it succeeds. After a failure, `pauseMs` gets the error and the number of failures so far; it returns the
 * pause before the next attempt, or `undefined` for an error that is final, which the caller then gets. An abort ends the pause
 * and the trying: the call rejects with `signal.reason`. An attempt under way is the caller's to end.
 */
export async function retried<T>(
  attempt: () => Promise<T>,
  pauseMs: (error: unknown, failures: number) => number | undefined,
  signal?: AbortSignal,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    signal?.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      signal?.throwIfAborted()
      const pause = pauseMs(error, failures)
      if (pause === undefined) throw error
      // The sleep rejects with an error of its own; the loop's first line throws the signal's reason instead.
      await sleep(pause, undefined, { signal }).catch(() => {})
    }
  }
}
