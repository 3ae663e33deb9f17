/**
 * A call with a cache: the native job's interface, over one that gets only what no tier has. Window, order, errors and end
 * are as the native job's, so that streams need not know. How inputs get their keys is in `keyed-inputs.ts`.
 *
 * Each input is a slot. A slot is answered by a tier, or follows an equal input that is on its way (of this call or of
 * another), or leads: it is embedded, and its row answers those that follow. A call that ends hands the keys that others wait for
 * over to one of them.
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { isNativeError } from '../base/errors.js'
import { isBytes } from '../base/foreign.js'
import { turnIsLong } from '../base/turn.js'
import type { NativeBatch, NativeError, NativeImage, NativeJob, NativeProgress } from '../binding/types.js'
import type { CacheEntry, TieredCache } from '../options/cache.js'
import { assemble, formOf, formOfBatch, type Row, type RowForm } from './assemble.js'
import { entryOf, tokensOf } from './entry.js'
import { FinishedRows } from './finished-rows.js'
import type { Flights } from './flights.js'
import type { Inputs, KeyedInputs } from './keyed-inputs.js'

/** Rows pushed and not yet taken; the native window's. */
const WINDOW_ROWS = 4096

/** Bytes of finished rows that may wait for the reader, unless two batches are more: 4096 rows of 4096 floats. */
const WINDOW_BYTES = 64 * 1024 * 1024

/** Characters or bytes of inputs that wait here for a look-up or for the native window. */
const WAITING_SIZE = 1024 * 1024

/** Look-ups under way at a time and keys of one: a tier always has work, and its answers come in small pieces. */
const LOOKUPS = 2
const LOOKUP_KEYS = 256

/** What a cached call is made of. */
export interface CachedJobPlan {
  /** Eager, collecting errors, in order of completion. */
  inner: NativeJob
  cache: TieredCache
  inputs: KeyedInputs
  flights: Flights<CachedJob>
  batchSize: number
  order: 'input' | 'completion'
  errors: 'throw' | 'collect'
  priority: number
  /** Rows are given as they are finished. */
  eager: boolean
  /** Called once, when the call is over. */
  onEnd(): void
}

/** One input. */
interface Slot {
  job: CachedJob
  index: number
  inputs: Inputs
  /** Its place in `inputs`. */
  place: number
  /** Absent where it has none, such as a file that cannot be read. */
  key: string | undefined
  size: number
}

/** A key on its way: led by a slot of one job, followed by slots of any. */
interface Flight {
  followers: Slot[]
}

/** A call under way. */
export class CachedJob implements NativeJob {
  readonly #plan: CachedJobPlan
  readonly #self = new WeakRef<CachedJob>(this)
  readonly #rows: FinishedRows
  readonly #leads = new Map<string, Flight>()
  /** Slots to embed that the native window had no room for yet. */
  #waiting: Slot[] = []
  /** Slots in the native job, by their position there. */
  readonly #running = new Map<number, Slot>()
  #pushed = 0
  /** Rows that came out of it. */
  #received = 0
  #innerRoom = 0
  #form: RowForm | undefined
  #submitted = 0
  #done = 0
  /** Tokens of rows that this call did not compute. */
  #givenTokens = 0
  /** Sum of entries' bytes and their number: what a row weighs. */
  #rowBytes = 0
  #rowCount = 0
  #size = 0
  /** Slots whose keys are not known yet. */
  #unprepared: Slot[] = []
  #preparing = false
  /** Slots that lead, to be looked for in tiers that take time. */
  #toLook: Slot[] = []
  #looking = 0
  #finished = false
  #refused = false
  #over = false
  #failure: NativeError | undefined
  #draining = false
  /** Slots of other calls that wait for rows of this one. */
  #foreign = 0
  #reader: ((answer: NativeBatch | NativeError | null) => void) | undefined
  #feeders: ((room: number) => void)[] = []
  #settled: (() => void)[] = []

  constructor(plan: CachedJobPlan) {
    this.#plan = plan
    this.#rows = new FinishedRows(plan.order)
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
    this.#notify()
  }

  next(): Promise<NativeBatch | NativeError | null> {
    return new Promise((resolve) => {
      this.#reader = resolve
      if (!this.#hasNext()) this.#drain()
      else if (turnIsLong()) setImmediate(() => this.#notify())
      else this.#notify()
    })
  }

  cancel(): void {
    if (this.#over) return
    this.#end()
    this.#rows.clear()
    this.#reader?.({ code: 'ABORTED', message: 'The call was cancelled' })
    this.#reader = undefined
    this.#notify()
  }

  /**
   * Inputs that wait for the reader to make room are not counted as submitted yet: whoever looks whether more may still be done
   * without a reader must not look for ever. Nor must they stop because a turn was too long to take more in.
   */
  progress(): NativeProgress {
    const inner = this.#plan.inner.progress()
    const done = this.#done + inner.done - this.#received
    const takesMore = this.#takesInput() && this.#room() > 0
    const more = this.#preparing || this.#looking > 0 || takesMore ? 1 : 0
    return {
      submitted: done + inner.submitted - inner.done + more,
      done,
      tokens: inner.tokens + this.#givenTokens,
      paddedTokens: inner.paddedTokens + this.#givenTokens,
      runs: inner.runs,
    }
  }

  /** Takes no more inputs, as the model closes. Resolves once the native job has all that must be embedded. */
  refuse(): Promise<void> {
    this.#refused = true
    this.#feed()
    this.#notify()
    return new Promise((resolve) => {
      this.#settled.push(resolve)
      this.#notify()
    })
  }

  #take(count: number, read: () => Inputs): number {
    if (count > 0 && this.#takesInput()) {
      const first = this.#submitted
      this.#submitted += count
      this.#look(first, read())
      this.#notify()
    }
    // Nobody may be reading, and room that runs have made since must be used all the same.
    this.#feed()
    return this.#takesInput() && !turnIsLong() ? this.#room() : 0
  }

  #takesInput(): boolean {
    return !this.#over && !this.#finished && !this.#refused && this.#failure === undefined
  }

  /** How many inputs the window has room for. */
  #room(): number {
    if (this.#size >= WAITING_SIZE) return 0
    const { batchSize } = this.#plan
    const rowBytes = this.#rowCount === 0 ? WINDOW_BYTES : this.#rowBytes / this.#rowCount
    const light = Math.max(Math.floor(WINDOW_BYTES / rowBytes), 2 * batchSize)
    const most = Math.min(Math.max(WINDOW_ROWS, 2 * batchSize), light)
    return Math.max(most - (this.#submitted - this.#rows.taken), 0)
  }

  /** What `room` resolves with, once it does. */
  #roomNow(): number | undefined {
    if (!this.#takesInput()) return -1
    const room = this.#room()
    if (room > 0 || this.#hasNext()) return room
    return undefined
  }

  #hasNext(): boolean {
    if (this.#over) return true
    const { ready } = this.#rows
    const all = (this.#finished || this.#refused) && this.#done === this.#submitted
    const enough = this.#plan.eager ? 1 : this.#plan.batchSize
    return ready >= enough || this.#failure !== undefined || all || this.#bad() !== undefined
  }

  /** The failed row at which a call that does not collect errors ends. */
  #bad(): { at: number; error: NativeError } | undefined {
    return this.#plan.errors === 'throw' ? this.#rows.firstFailed() : undefined
  }

  /** What `next` resolves with, when there is something. */
  #answer(): NativeBatch | NativeError | null {
    if (this.#over) return null
    const bad = this.#bad()
    const count = Math.min(bad?.at ?? this.#rows.ready, this.#plan.batchSize)
    if (count > 0) {
      const taken = this.#rows.take(count)
      const form = this.#form
      if (form === undefined) return { code: 'INTERNAL', message: 'Rows came without a form' }
      queueMicrotask(() => this.#notify()) // there is room, but the batch goes first
      return assemble(taken, form)
    }
    this.#end()
    this.#notify()
    const closed: NativeError = { code: 'CLOSED', message: 'The model was closed' }
    return bad?.error ?? this.#failure ?? (this.#finished ? null : closed)
  }

  /** Tells whoever waits, where there is something to tell. */
  #notify(): void {
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

  /** Whether the native job has everything that must be embedded. */
  #isSettled(): boolean {
    if (this.#over || this.#failure !== undefined) return true
    const preparing = this.#preparing || this.#unprepared.length > 0
    return !preparing && this.#looking === 0 && this.#toLook.length === 0 && this.#waiting.length === 0
  }

  /** Gives slots their keys and looks for their rows, at once as far as that goes. */
  #look(first: number, inputs: Inputs): void {
    const slots = Array.from({ length: inputs.length }, (_, place): Slot => {
      const size = inputs.sizeOf(place)
      this.#size += size
      return { job: this, index: first + place, inputs, place, key: undefined, size }
    })
    if (inputs.keys !== undefined) {
      this.#lookUp(slots, inputs.keys)
      return
    }
    this.#unprepared.push(...slots)
    this.#prepareNext()
  }

  /** Gets keys that take time one by one, while the inputs that it reads for that have room. */
  #prepareNext(): void {
    const full = this.#size >= WAITING_SIZE && this.#waiting.length > 0 && !this.#refused
    if (this.#preparing || full || this.#over || this.#failure !== undefined) return
    const slot = this.#unprepared.shift()
    if (slot === undefined) return
    this.#preparing = true
    void slot.inputs.prepare(slot.place).then((key) => {
      this.#preparing = false
      if (this.#over) return
      const size = slot.inputs.sizeOf(slot.place)
      this.#size += size - slot.size
      slot.size = size
      this.#lookUp([slot], [key])
      this.#notify()
    })
  }

  #lookUp(slots: readonly Slot[], keys: readonly (string | undefined)[]): void {
    const { cache } = this.#plan
    const keyed: Slot[] = []
    for (const [i, slot] of slots.entries()) {
      slot.key = keys[i]
      if (slot.key === undefined) this.#waiting.push(slot)
      else keyed.push(slot)
    }
    const found = cache.now(keyed.map(({ key }) => key as string))
    const leads: Slot[] = []
    let hits = 0
    for (const [i, slot] of keyed.entries()) {
      const entry = found[i]
      if (entry === undefined) {
        if (!this.#follow(slot)) leads.push(slot)
      } else {
        hits++
        this.#give(slot, entry)
      }
    }
    cache.count('hits', hits)
    if (cache.waits) {
      this.#toLook.push(...leads)
      this.#lookLater()
    } else {
      cache.count('misses', leads.length)
      this.#waiting.push(...leads)
    }
    this.#feed()
  }

  #lookLater(): void {
    while (this.#looking < LOOKUPS && this.#toLook.length > 0 && !this.#over) {
      this.#looking++
      void this.#lookFor(this.#toLook.splice(0, LOOKUP_KEYS))
    }
  }

  async #lookFor(leads: readonly Slot[]): Promise<void> {
    const { cache } = this.#plan
    const found = await cache.later(leads.map(({ key }) => key as string))
    while (turnIsLong()) await nextTurn()
    this.#looking--
    if (this.#over) return // its keys were handed over
    let hits = 0
    for (const [i, slot] of leads.entries()) {
      const entry = found[i]
      if (entry === undefined) this.#waiting.push(slot)
      else {
        hits++
        this.#land(slot, entry)
      }
    }
    cache.count('hits', hits)
    cache.count('misses', leads.length - hits)
    this.#lookLater()
    this.#feed()
    this.#notify()
  }

  /** Whether the slot's row is on its way and the slot waits for it; else it leads from now on. */
  #follow(slot: Slot): boolean {
    const key = slot.key as string
    const leader = this.#leads.has(key) ? this : this.#plan.flights.find(key)
    const flight = leader === undefined ? undefined : leader.#leads.get(key)
    // A row of less urgent work may be long in coming.
    if (leader === undefined || flight === undefined || leader.#plan.priority < this.#plan.priority) {
      this.#lead(key, [])
      return false
    }
    flight.followers.push(slot)
    this.#plan.cache.count('shared', 1)
    if (leader !== this) {
      leader.#foreign++
      leader.#drain()
    }
    return true
  }

  #lead(key: string, followers: Slot[]): void {
    this.#leads.set(key, { followers })
    this.#foreign += followers.filter(({ job }) => job !== this).length
    this.#plan.flights.set(key, this.#self)
  }

  /** The flight of a key is over; those that followed. */
  #landed(key: string): Slot[] {
    const followers = this.#leads.get(key)?.followers ?? []
    this.#leads.delete(key)
    this.#plan.flights.delete(key, this.#self)
    this.#foreign -= followers.filter(({ job }) => job !== this).length
    return followers
  }

  /** A row for a slot that leads, and for those that follow it. */
  #land(slot: Slot, entry: Uint8Array): void {
    this.#give(slot, entry)
    if (slot.key === undefined) return
    const followers = this.#landed(slot.key)
    for (const follower of followers) follower.job.#give(follower, entry)
    for (const { job } of followers) if (job !== this) job.#notify()
  }

  /** A failed row is the call's own: equal inputs of other calls are tried there. */
  #fail(slot: Slot, error: NativeError): void {
    this.#deliver(slot, { ...error, index: slot.index })
    if (slot.key === undefined) return
    const followers = this.#landed(slot.key)
    const others: Slot[] = []
    for (const follower of followers) {
      if (follower.job === this) this.#deliver(follower, { ...error, index: follower.index })
      else others.push(follower)
    }
    CachedJob.#handOver(slot.key, others)
  }

  /** Lets the first of some slots lead the others. */
  static #handOver(key: string, slots: readonly Slot[]): void {
    const alive = slots.filter(({ job }) => !job.#over && job.#failure === undefined)
    const [leader, ...followers] = alive
    if (leader === undefined) return
    const { job } = leader
    job.#lead(key, [...job.#landed(key), ...followers])
    job.#waiting.push(leader)
    job.#feed()
    job.#notify()
  }

  /** A row for a slot; `#receive` takes back the tokens of those that this call computed. */
  #give(slot: Slot, entry: Uint8Array): void {
    if (this.#over) return
    this.#form ??= formOf(entry)
    this.#givenTokens += tokensOf(entry)
    this.#deliver(slot, entry)
  }

  #deliver(slot: Slot, row: Row): void {
    if (this.#over) return
    this.#done++
    this.#size -= slot.size
    slot.size = 0
    if (isBytes(row)) {
      this.#rowBytes += row.byteLength
      this.#rowCount++
    }
    this.#rows.insert(slot.index, row)
  }

  /** Moves waiting slots into the native job, as far as it has room; all of them when the model closes. */
  #feed(): void {
    const { inner } = this.#plan
    while (this.#waiting.length > 0 && !this.#over && this.#failure === undefined) {
      if (this.#innerRoom <= 0) {
        const room = inner.push([])
        if (isNativeError(room)) {
          this.#break(room)
          return
        }
        this.#innerRoom = room
      }
      if (this.#innerRoom <= 0 && !this.#refused) break
      const count = this.#refused ? this.#waiting.length : this.#innerRoom
      const slots = this.#waiting.splice(0, count)
      for (const slot of slots) {
        this.#running.set(this.#pushed++, slot)
        this.#size -= slot.size
        slot.size = 0
      }
      const room = slots[0]?.inputs.push(inner, slots) ?? 0
      if (isNativeError(room)) {
        this.#break(room)
        return
      }
      this.#innerRoom = room
    }
    this.#prepareNext()
    this.#drain()
  }

  /** Takes rows out of the native job while somebody waits for some. */
  #drain(): void {
    if (this.#draining || !this.#drains()) return
    this.#draining = true
    void this.#drainAll()
  }

  #drains(): boolean {
    const wanted = this.#reader !== undefined || this.#foreign > 0
    return wanted && this.#running.size > 0 && !this.#over && this.#failure === undefined
  }

  async #drainAll(): Promise<void> {
    while (this.#drains()) {
      const answer = await this.#plan.inner.next()
      if (this.#over) break
      if (answer === null) this.#break({ code: 'INTERNAL', message: 'The job ended before its rows' })
      else if (isNativeError(answer)) this.#break(answer)
      else this.#receive(answer)
    }
    this.#draining = false
  }

  #receive(batch: NativeBatch): void {
    this.#form ??= formOfBatch(batch)
    this.#innerRoom = 0 // ask again
    this.#received += batch.length
    const failed = new Map(batch.errors.map((error) => [error.index ?? -1, error]))
    const fresh: CacheEntry[] = []
    for (let i = 0; i < batch.length; i++) {
      const at = batch.positions?.[i] ?? batch.offset + i
      const slot = this.#running.get(at)
      if (slot === undefined) continue
      this.#running.delete(at)
      const error = failed.get(at)
      if (error !== undefined) {
        this.#fail(slot, error)
        continue
      }
      const entry = entryOf(slot.key ?? '', batch, i)
      if (slot.key !== undefined) fresh.push([slot.key, entry])
      this.#givenTokens -= tokensOf(entry) // the native job counts them
      this.#land(slot, entry)
    }
    this.#plan.cache.put(fresh)
    this.#feed()
    this.#notify()
  }

  /** The native job is over, and with it this one once its finished rows were taken. */
  #break(error: NativeError): void {
    this.#failure ??= error
    this.#handOverAll()
    this.#notify()
  }

  #end(): void {
    this.#over = true
    this.#plan.inner.cancel()
    this.#handOverAll()
    this.#waiting = []
    this.#unprepared = []
    this.#toLook = []
    this.#running.clear()
    this.#plan.onEnd()
  }

  #handOverAll(): void {
    for (const key of [...this.#leads.keys()]) {
      CachedJob.#handOver(
        key,
        this.#landed(key).filter(({ job }) => job !== this),
      )
    }
  }
}
