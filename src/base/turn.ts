/**
 * How long caches and pipelines have worked in this turn of the event loop. Kept rows come without waiting, so nothing else would ever end a
 * turn: promises that are ready give it none.
 */

import { setImmediate as nextTurn } from 'node:timers/promises'

/** Resolves in the next turn of the event loop, after what else is ready. */
export { nextTurn }

/** With what a reader does in the same turn, this stays well below the 10 ms that the loop may be late. */
const TURN_MS = 3

let started: number | undefined

/** Lets other things happen where this turn has been long. */
export async function breathe(): Promise<void> {
  if (turnIsLong()) await nextTurn()
}

/** Whether this turn should end. The first call of a turn begins to measure it. */
export function turnIsLong(): boolean {
  const now = performance.now()
  if (started !== undefined) return now - started >= TURN_MS
  started = now
  setImmediate(() => {
    started = undefined
  })
  return false
}
