/** Ends a request that has fallen silent, or that its caller has aborted. */

import { onAbort } from '../base/abort.js'
import { systemCode } from '../base/durable.js'
import { isError } from '../base/foreign.js'
import { HubFailure } from './retry.js'

export class Watchdog {
  readonly #controller = new AbortController()
  readonly #ms: number
  readonly #outer: AbortSignal
  readonly #unlisten: () => void
  #timer: NodeJS.Timeout | undefined

  /** Starts watching. */
  constructor(ms: number, outer: AbortSignal) {
    this.#ms = ms
    this.#outer = outer
    this.#unlisten = onAbort(outer, this.#end)
    if (outer.aborted) this.#end()
    this.feed()
  }

  /** For the request. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Something came. */
  feed(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#controller.abort(new HubFailure(`nothing came for ${this.#ms / 1000} s`, { retry: true }))
    }, this.#ms)
  }

  /** Nothing is expected now; only the caller can end it. */
  rest(): void {
    clearTimeout(this.#timer)
  }

  /** The request is over. */
  end(): void {
    this.rest()
    this.#unlisten()
  }

  /** What to throw for a failed request: the caller's reason, the silence, or the connection's own error. */
  failure(error: unknown, host: string): unknown {
    this.end()
    if (this.#outer.aborted) return this.#outer.reason
    const silence: unknown = this.signal.aborted ? this.signal.reason : undefined
    if (silence instanceof HubFailure) return new HubFailure(`${host}: ${silence.message}`, { retry: true })
    return connectionFailure(error, host)
  }

  readonly #end = (): void => {
    this.rest()
    this.#controller.abort(this.#outer.reason)
  }
}

/** A failed connection as a {@link HubFailure}. */
function connectionFailure(error: unknown, host: string): HubFailure {
  if (error instanceof HubFailure) return error
  const code = systemCode(error)
  // Of several addresses tried, the message is empty.
  const text = (isError(error) && error.message) || code || String(error)
  return new HubFailure(`${host}: ${text}`, {
    // Whom a certificate belongs to does not change by asking again.
    retry: !/CERT|TLS|SSL|SIGNATURE/.test(code ?? ''),
    cause: error,
  })
}
