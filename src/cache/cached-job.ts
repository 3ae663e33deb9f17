/**
 * A call with a cache: the native job's interface, over one that gets only what no tier has. Window, order, errors and end
 * are as the native job's, so that streams need not know.
 *
 * Each input is a slot (`slot.ts`). A slot is answered by a tier, or follows an equal input that is on its way (of this call or
 * of another), or leads: it is embedded, and its row answers those that follow. This file joins the parts that do so, and is
 * what the reader and the source talk to.
 */

import { nextTurn, turnIsLong } from '../base/turn.js'
import type { NativeBatch, NativeError, NativeImage, NativeJob, NativeProgress } from '../binding/types.js'
import type { TieredCache } from '../options/cache.js'
import type { Row } from './assemble.js'
import { CallWindow } from './call-window.js'
import type { Flights } from './flights.js'
import type { Inputs, KeyedInputs } from './keyed-inputs.js'
import { Leads } from './leads.js'
import { type LookingCall, LookUps } from './look-ups.js'
import { type FeedingCall, NativeFeed } from './native-feed.js'
import type { CachedCall, Slot } from './slot.js'

/** What a cached call is made of. */
export interface CachedJobPlan {
  /** Eager, collecting errors, in order of completion. */
  inner: NativeJob
  cache: TieredCache
  inputs: KeyedInputs
  flights: Flights<CachedCall>
  batchSize: number
  order: 'input' | 'completion'
  errors: 'throw' | 'collect'
  priority: number
  /** Rows are given as they are finished. */
  eager: boolean
  /** Called once, when the call is over. */
  onEnd(): void
}

/** A call under way. */
export class CachedJob implements NativeJob, LookingCall, FeedingCall {
  readonly leads: Leads
  readonly #plan: CachedJobPlan
  readonly #window: CallWindow
  readonly #lookUps: LookUps
  readonly #feed: NativeFeed
  /** The source has ended. */
  #finished = false
  /** The model closes: no more inputs are taken. */
  #refused = false
  /** The reader has all, or wants no more. */
  #over = false
  /** Why the native job ended early. The reader gets it after the rows that were finished. */
  #failure: NativeError | undefined
  /** The read that waits for a batch. */
  #reader: ((answer: NativeBatch | NativeError | null) => void) | undefined
  /** The calls of `room` that wait for some. */
  #feeders: ((room: number) => void)[] = []
  /** The calls of `refuse` that wait until the native job has everything. */
  #settled: (() => void)[] = []

  constructor(plan: CachedJobPlan) {
    this.#plan = plan
    this.#window = new CallWindow(plan.batchSize, plan.order)
    this.leads = new Leads(this, plan.flights, plan.priority)
    this.#lookUps = new LookUps(this, this.#window, plan.cache)
    this.#feed = new NativeFeed(this, this.#window, plan.cache, plan.inner)
  }

  push(texts: string[]): number | NativeError {
    return this.#take(texts.length, () => this.#plan.inputs.texts(texts))
  }

  pushImages(images: NativeImage[]): number | NativeError {
    return this.#take(images.length, () => this.#plan.inputs.images(images))
  }

  pushPairs(queries: string[], documents: string[]): number | NativeError {
    return this.#take(documents.length, () => this.#plan.inputs.pairs(queries, documents))
  }

  async room(): Promise<number> {
    if (turnIsLong()) await nextTurn()
    const now = this.#roomNow()
    if (now !== undefined) return now
    return new Promise((resolve) => this.#feeders.push(resolve))
  }

  finish(): void {
    this.#finished = true
    this.notify()
  }

  next(): Promise<NativeBatch | NativeError | null> {
    return new Promise((resolve) => {
      this.#reader = resolve
      if (!this.#hasNext()) this.#feed.drain()
      else if (turnIsLong()) setImmediate(() => this.notify())
      else this.notify()
    })
  }

  cancel(): void {
    if (this.#over) return
    this.#end()
    this.#window.clear()
    this.#reader?.({ code: 'ABORTED', message: 'The call was cancelled' })
    this.#reader = undefined
    this.notify()
  }

  /**
   * Inputs that wait for the reader to make room are not counted as submitted yet: whoever looks whether more may still be done
   * without a reader must not look for ever. Nor must they stop because a turn was too long to take more in.
   */
  progress(): NativeProgress {
    const inner = this.#plan.inner.progress()
    const done = this.#window.done + inner.done - this.#feed.received
    const takesMore = this.#takesInput() && this.#window.room > 0
    const more = this.#lookUps.isBusy || takesMore ? 1 : 0
    const { givenTokens } = this.#window
    return {
      submitted: done + inner.submitted - inner.done + more,
      done,
      tokens: inner.tokens + givenTokens,
      paddedTokens: inner.paddedTokens + givenTokens,
      runs: inner.runs,
    }
  }

  /** Takes no more inputs, as the model closes. Resolves once the native job has all that must be embedded. */
  refuse(): Promise<void> {
    this.#refused = true
    this.#feed.feed()
    this.notify()
    return new Promise((resolve) => {
      this.#settled.push(resolve)
      this.notify()
    })
  }

  // What the parts ask of the call.

  get isOver(): boolean {
    return this.#over
  }

  get isAlive(): boolean {
    return !this.#over && this.#failure === undefined
  }

  get isRefused(): boolean {
    return this.#refused
  }

  get isWanted(): boolean {
    return this.#reader !== undefined || this.leads.foreign > 0
  }

  get holdsBack(): boolean {
    return this.#window.isFull && this.#feed.waiting > 0 && !this.#refused
  }

  give(slot: Slot, entry: Uint8Array): void {
    if (!this.#over) this.#window.give(slot, entry)
  }

  deliver(slot: Slot, row: Row): void {
    if (!this.#over) this.#window.deliver(slot, row)
  }

  embed(slots: readonly Slot[]): void {
    this.#feed.add(slots)
    this.#feed.feed()
  }

  drain(): void {
    this.#feed.drain()
  }

  fed(): void {
    this.#lookUps.goOn()
  }

  /** The native job is over, and with it this one once its finished rows were taken. */
  break(error: NativeError): void {
    this.#failure ??= error
    this.leads.handOverAll()
    this.notify()
  }

  /** Tells whoever waits, where there is something to tell. */
  notify(): void {
    if (this.#reader !== undefined && this.#hasNext()) {
      const reader = this.#reader
      this.#reader = undefined
      reader(this.#answer())
    }
    if (this.#feeders.length > 0) {
      const room = this.#roomNow()
      if (room !== undefined) for (const feeder of this.#feeders.splice(0)) feeder(room)
    }
    if (this.#settled.length > 0 && this.#isSettled())
      for (const settled of this.#settled.splice(0)) settled()
  }

  #take(count: number, read: () => Inputs): number {
    if (count > 0 && this.#takesInput()) {
      const first = this.#window.submit(count)
      this.#lookUps.take(first, read())
      this.notify()
    }
    // Nobody may be reading, and room that runs have made since must be used all the same.
    this.#feed.feed()
    return this.#takesInput() && !turnIsLong() ? this.#window.room : 0
  }

  #takesInput(): boolean {
    return this.isAlive && !this.#finished && !this.#refused
  }

  /** What `room` resolves with, once it does. */
  #roomNow(): number | undefined {
    if (!this.#takesInput()) return -1
    const { room } = this.#window
    if (room > 0 || this.#hasNext()) return room
    return undefined
  }

  #hasNext(): boolean {
    if (this.#over) return true
    const all = (this.#finished || this.#refused) && this.#window.isDone
    const enough = this.#plan.eager ? 1 : this.#plan.batchSize
    return this.#window.ready >= enough || this.#failure !== undefined || all || this.#bad() !== undefined
  }

  /** The failed row at which a call that does not collect errors ends. */
  #bad(): { at: number; error: NativeError } | undefined {
    return this.#plan.errors === 'throw' ? this.#window.firstFailed() : undefined
  }

  /** What `next` resolves with, when there is something. */
  #answer(): NativeBatch | NativeError | null {
    if (this.#over) return null
    const bad = this.#bad()
    const count = Math.min(bad?.at ?? this.#window.ready, this.#plan.batchSize)
    if (count > 0) {
      queueMicrotask(() => this.notify()) // there is room, but the batch goes first
      return this.#window.take(count)
    }
    this.#end()
    this.notify()
    const closed: NativeError = { code: 'CLOSED', message: 'The model was closed' }
    return bad?.error ?? this.#failure ?? (this.#finished ? null : closed)
  }

  /** Whether the native job has everything that must be embedded. */
  #isSettled(): boolean {
    return !this.isAlive || (this.#lookUps.isDone && this.#feed.waiting === 0)
  }

  #end(): void {
    this.#over = true
    this.#plan.inner.cancel()
    this.leads.handOverAll()
    this.#feed.clear()
    this.#lookUps.clear()
    this.#plan.onEnd()
  }
}
