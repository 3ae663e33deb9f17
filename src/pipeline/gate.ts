/** Bounds what is on its way: whoever brings more waits until enough has gone. */

/** Counts what is inside. */
export class Gate {
  readonly #most: number
  #inside = 0
  #waiting: { resolve: () => void; reject: (reason: unknown) => void }[] = []
  #closed: { reason: unknown } | undefined

  constructor(most: number) {
    this.#most = most
  }

  get inside(): number {
    return this.#inside
  }

  enter(count: number): void {
    this.#inside += count
  }

  leave(count: number): void {
    this.#inside -= count
    if (this.#inside < this.#most) for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  /** Resolves when there is room for some more; rejects once closed. */
  async room(): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed.reason
    if (this.#inside < this.#most) return
    await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** Lets nobody wait any longer. */
  close(reason: unknown): void {
    this.#closed ??= { reason }
    for (const { reject } of this.#waiting.splice(0)) reject(reason)
  }
}
