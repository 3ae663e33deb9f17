/**
 * How a run calls its sinks: errors get a code and lose passwords, and a sink that does not answer does not hold an aborted run. Which calls are made,
 * and in which order, is decided in `outputs.ts` and `writer.ts`.
 */

import { MillraceError } from '../base/errors.js'
import { reasonOf } from '../base/foreign.js'
import { safeCause, withoutSecrets } from '../base/secrets.js'
import type { Awaitable } from './awaitable.js'

/**
 * How long a call may go on after the run was aborted: the batch under way is usually finished by then. The call and the closing behind it have it
 * each, so that an aborted run ends within a second.
 */
const GRACE_MS = 400

/** Calls of the sinks of one run. */
export class SinkCalls {
  readonly #stop: AbortSignal
  /** Calls that have not returned, those that nobody waits for any more included. */
  readonly #pending = new Set<Promise<unknown>>()

  constructor(stop: AbortSignal) {
    this.#stop = stop
  }

  /**
   * Does `work`, for `sink`. Rejects with SINK_FAILED for what it throws, unless that says better; and with the reason of the abort where the work
   * goes on for too long after it. Then the work is left to itself.
   */
  async run<T>({ name }: { name: string }, work: () => Awaitable<T>): Promise<T> {
    const working = (async () => work())()
    this.#track(working)
    const timer = new Grace(this.#stop)
    try {
      return await Promise.race([working, timer.over])
    } catch (cause) {
      if (this.#stop.aborted && cause === this.#stop.reason) throw cause
      throw sinkFailure(name, cause)
    } finally {
      timer.clear()
    }
  }

  /** Resolves when no call is under way any more; after an abort that may be never. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending)
  }

  #track(working: Promise<unknown>): void {
    const settled = working.then(
      () => {},
      () => {},
    )
    this.#pending.add(settled)
    settled.then(() => this.#pending.delete(settled))
  }
}

/** A promise that rejects some time after the abort, or after its own beginning, whichever is later. */
class Grace {
  readonly over: Promise<never>
  readonly #stop: AbortSignal
  readonly #onAbort: () => void
  #timer: NodeJS.Timeout | undefined

  constructor(stop: AbortSignal) {
    this.#stop = stop
    let reject: (reason: unknown) => void = () => {}
    this.over = new Promise<never>((_, refuse) => {
      reject = refuse
    })
    this.over.catch(() => {})
    this.#onAbort = () => {
      this.#timer = setTimeout(() => reject(stop.reason), GRACE_MS)
    }
    if (stop.aborted) this.#onAbort()
    else stop.addEventListener('abort', this.#onAbort, { once: true })
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#stop.removeEventListener('abort', this.#onAbort)
  }
}

/** What a sink threw, as SINK_FAILED unless it has a code of ours. Messages of drivers may hold the address, and with it a password. */
function sinkFailure(name: string, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause
  return new MillraceError('SINK_FAILED', withoutSecrets(`The sink ${name} failed: ${reasonOf(cause)}`), {
    cause: safeCause(cause),
  })
}
