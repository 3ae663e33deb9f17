/**
 * Listening to an `AbortSignal` that many calls share. Each signal gets one listener of ours, however many calls wait for it:
 * Node warns of a leak (MaxListenersExceededWarning) from the eleventh listener on, and a server that gives one signal to
 * fifty calls has no leak.
 */

/** What waits for each signal. The signal owns the entry, so a signal that nobody holds is collected with it. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls `listener` once when `signal` aborts; the signal must not have aborted yet. The returned function takes the
 * listener away again, and may be called at any time and more than once.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  // The same function may wait twice; each wait has an identity of its own.
  const entry = () => listener()
  const listeners = waiting.get(signal) ?? listen(signal)
  listeners.add(entry)
  return () => {
    if (!listeners.delete(entry) || listeners.size > 0) return
    if (waiting.get(signal) === listeners) waiting.delete(signal)
    signal.removeEventListener('abort', handlers.get(listeners) as () => void)
  }
}

const handlers = new WeakMap<Set<() => void>, () => void>()

function listen(signal: AbortSignal): Set<() => void> {
  const listeners = new Set<() => void>()
  const handler = () => {
    waiting.delete(signal)
    for (const entry of [...listeners]) {
      // One that an earlier one took away is not called any more.
      if (listeners.delete(entry)) entry()
    }
  }
  waiting.set(signal, listeners)
  handlers.set(listeners, handler)
  signal.addEventListener('abort', handler, { once: true })
  return listeners
}
