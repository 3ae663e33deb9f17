/** Tells the caller how far the files are, not too often. */

import type { ParsedResolve } from './options.js'

/** Ten times a second is as much as a person sees. */
const EVERY_MS = 100

export class ProgressReport {
  readonly #wanted: ParsedResolve
  readonly #filesTotal: number
  readonly #stop: AbortController
  #filesDone: number

  /** An error of the callback becomes the reason of `stop`. */
  constructor(wanted: ParsedResolve, filesTotal: number, filesDone: number, stop: AbortController) {
    this.#wanted = wanted
    this.#filesTotal = filesTotal
    this.#filesDone = filesDone
    this.#stop = stop
  }

  /** The view of one file. */
  of(file: string): { update: (received: number, total: number | undefined) => void; done: () => void } {
    let last = Number.NEGATIVE_INFINITY
    let now = { received: 0, total: undefined as number | undefined }
    return {
      update: (received, total) => {
        now = { received, total }
        const time = performance.now()
        if (time - last < EVERY_MS) return
        last = time
        this.#report(file, received, total)
      },
      done: () => {
        this.#filesDone++
        this.#report(file, now.received, now.total)
      },
    }
  }

  #report(file: string, receivedBytes: number, totalBytes: number | undefined): void {
    const { onProgress, layout } = this.#wanted
    if (onProgress === undefined || this.#stop.signal.aborted) return
    try {
      onProgress({
        repo: layout.repo,
        file,
        receivedBytes,
        ...(totalBytes !== undefined && { totalBytes }),
        filesDone: this.#filesDone,
        filesTotal: this.#filesTotal,
      })
    } catch (error) {
      this.#stop.abort(new CallbackError(error))
    }
  }
}

/** Carries what the caller's callback threw past everything that would take it for an error of ours. */
export class CallbackError extends Error {
  constructor(thrown: unknown) {
    super('onProgress threw', { cause: thrown })
  }
}
