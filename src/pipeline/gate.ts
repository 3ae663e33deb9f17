/** Bounds what is on its way: whoever brings more waits until enough has gone. Every document counts, by its weight. */

import type { DocumentJob } from './job.js'

/** What a gate lets in. */
export interface GateLimits {
  /** Most weight, in chunks of ordinary size; see `DocumentJob.weight`. */
  weight: number
  /** Most documents. */
  documents: number
}

/** Counts what is inside. What comes in at once may exceed the limits; then nothing more comes until that has gone. */
export class Gate {
  readonly #limits: GateLimits
  #weight = 0
  #documents = 0
  #chunks = 0
  #waiting: { resolve: () => void; reject: (reason: unknown) => void }[] = []
  #closed: { reason: unknown } | undefined

  constructor(limits: GateLimits) {
    this.#limits = limits
  }

  get chunks(): number {
    return this.#chunks
  }

  get documents(): number {
    return this.#documents
  }

  /**
   * Whether so much has gathered for the sink that it must be written, whole batch or not: with less, what is inside
   * may be waiting for what has no room.
   */
  mustWrite(weight: number, documents: number): boolean {
    return 2 * weight >= this.#limits.weight || 2 * documents >= this.#limits.documents
  }

  enter({ weight, records }: DocumentJob): void {
    this.#weight += weight
    this.#chunks += records.length
    this.#documents++
  }

  /** Takes what the jobs weighed when they came in. */
  leave(weight: number, chunks: number, documents: number): void {
    this.#weight -= weight
    this.#chunks -= chunks
    this.#documents -= documents
    if (this.#hasRoom()) for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  /** Resolves when there is room for some more; rejects once closed. */
  async room(): Promise<void> {
    while (this.#closed === undefined && !this.#hasRoom()) {
      await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    }
    if (this.#closed !== undefined) throw this.#closed.reason
  }

  /** Lets nobody wait any longer. */
  close(reason: unknown): void {
    this.#closed ??= { reason }
    for (const { reject } of this.#waiting.splice(0)) reject(reason)
  }

  #hasRoom(): boolean {
    return this.#weight < this.#limits.weight && this.#documents < this.#limits.documents
  }
}
