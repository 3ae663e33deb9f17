/**
 * Moves items from a source into a native job, as far as the job has room. It does not touch the rows that come
 * out: see `run.ts`.
 */

import { type MillraceError, unwrap } from '../base/errors.js'
import { isPromise } from '../base/foreign.js'
import { nextTurn } from '../base/turn.js'
import type { NativeJob } from '../binding/types.js'
import { encodeItem, type ItemKind, mustBeRead, placeOf, readItems } from './items.js'
import type { SourceReader } from './source.js'

/** Longest time the pump runs without a turn of the event loop; a promise that is ready gives it none. */
const TURN_MS = 4

/** How often a job is asked for room while nobody reads it: short beside a run, rare enough to cost nothing. */
const IDLE_POLL_MS = 5

/** The feeding side of one stream; `N` is an item as the addon takes it. */
export class Pump<N> {
  readonly #job: NativeJob
  readonly #source: SourceReader
  readonly #kind: ItemKind<N>
  readonly #collect: boolean
  #stopped = false
  #pushed = 0
  #inputError: MillraceError | undefined
  #demanded = false
  #onDemand: (() => void) | undefined
  #turnStarted = performance.now()

  /** Errors of items that are not of the kind, by position, until their rows are delivered. */
  readonly inputErrors = new Map<number, MillraceError>()

  /** `collect`: an item that is not of the kind is noted in `inputErrors`; else it ends the input. */
  constructor(job: NativeJob, source: SourceReader, kind: ItemKind<N>, collect: boolean) {
    this.#job = job
    this.#source = source
    this.#kind = kind
    this.#collect = collect
  }

  /** How many items went into the job. */
  get pushed(): number {
    return this.#pushed
  }

  /** What ended the input early: the error of an item. */
  get inputError(): MillraceError | undefined {
    return this.#inputError
  }

  /** Whether a reader waits for rows. While one does, the pump may keep the process alive; else it must not. */
  set demanded(demanded: boolean) {
    this.#demanded = demanded
    if (demanded) this.#wake()
  }

  /** Resolves at the end of the source, of the job, or after `stop`; rejects with the source's own error. */
  async run(): Promise<void> {
    this.#turnStarted = performance.now()
    let room = 0
    while (!this.#stopped) {
      if (room <= 0) room = await this.#awaitRoom()
      if (room < 0 || this.#stopped) return
      const read = this.#source.read(room)
      const slice = isPromise(read) ? await read : read
      if (this.#stopped) return
      const { items: given } = slice
      const items = this.#encode(mustBeRead(this.#kind, given) ? await readItems(this.#kind, given) : given)
      if (this.#stopped) return
      if (items.length > 0) room = this.#kind.push(this.#job, items)
      this.#pushed += items.length
      if (slice.done || this.#inputError !== undefined) {
        this.#job.finish()
        if (!slice.done) await this.#releaseSource()
        return
      }
      if (performance.now() - this.#turnStarted >= TURN_MS) await this.#turn()
    }
  }

  /** Pushes nothing more. The source is released by whoever stops. */
  stop(): void {
    this.#stopped = true
    this.#wake()
  }

  /** After a bad item: its error is what the reader gets, whatever the source's clean-up throws. */
  async #releaseSource(): Promise<void> {
    try {
      await this.#source.stop()
    } catch {}
  }

  /** The items as the addon takes them. A bad one becomes a placeholder, so that positions hold, or ends the list. */
  #encode(items: unknown[]): N[] {
    const encoded: N[] = []
    for (const item of items) {
      const index = this.#pushed + encoded.length
      const one = encodeItem(this.#kind, item, placeOf(index), index)
      if ('encoded' in one) {
        encoded.push(one.encoded)
        continue
      }
      if (!this.#collect) {
        this.#inputError = one.error
        break
      }
      this.inputErrors.set(index, one.error)
      encoded.push(this.#kind.placeholder)
    }
    return encoded
  }

  /** How many items the job takes now, or -1 when it is over. */
  async #awaitRoom(): Promise<number> {
    while (!this.#stopped) {
      // Asking costs nothing beside a native promise, which a short call would wait for longer than for its run.
      const now = unwrap(this.#job.push([]))
      if (now > 0) return now
      if (this.#demanded) {
        const room = await this.#job.room()
        if (room !== 0) return room
        // Finished rows wait to be taken before there is room.
        await this.#turn()
        continue
      }
      // A native promise keeps the process alive, and a reader that went away never makes room: so while nobody
      // reads, look from time to time, and only as long as running items may still make room.
      const { done, submitted } = this.#job.progress()
      await (done < submitted ? this.#demandOr(IDLE_POLL_MS) : this.#demandOr(undefined))
    }
    return -1
  }

  /** Resolves when a reader comes, or after some milliseconds that do not keep the process alive. */
  async #demandOr(milliseconds: number | undefined): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#onDemand = resolve
      if (milliseconds !== undefined) timer = setTimeout(resolve, milliseconds).unref()
    })
    clearTimeout(timer)
    this.#turnStarted = performance.now()
  }

  #wake(): void {
    this.#onDemand?.()
    this.#onDemand = undefined
  }

  async #turn(): Promise<void> {
    await nextTurn()
    this.#turnStarted = performance.now()
  }
}
