/**
 * Single flight: the keys that one call embeds just now, and the slots of this and other calls that wait for their rows. A
 * call that ends hands the keys that others wait for over to one of them, so that no row is lost with it.
 */

import type { NativeError } from '../binding/types.js'
import type { Flights } from './flights.js'
import type { CachedCall, Slot } from './slot.js'

/** What one call leads. */
export class Leads {
  readonly #call: CachedCall
  /** Others hold the call weakly: one whose reader went away must still be collected. */
  readonly #self: WeakRef<CachedCall>
  readonly #flights: Flights<CachedCall>
  readonly #priority: number
  /** The slots that wait for each key's row. */
  readonly #followers = new Map<string, Slot[]>()
  #foreign = 0

  constructor(call: CachedCall, flights: Flights<CachedCall>, priority: number) {
    this.#call = call
    this.#self = new WeakRef(call)
    this.#flights = flights
    this.#priority = priority
  }

  /** How many slots of other calls wait for rows of this one. */
  get foreign(): number {
    return this.#foreign
  }

  /** Whether the slot's row is on its way and the slot waits for it from now on. If not, the slot leads. */
  follow(slot: Slot): boolean {
    const key = slot.key as string
    const leader = this.#followers.has(key) ? this.#call : this.#flights.find(key)
    const followers = leader === undefined ? undefined : leader.leads.#followers.get(key)
    // A row of less urgent work may be long in coming.
    if (leader === undefined || followers === undefined || leader.leads.#priority < this.#priority) {
      this.#lead(key, [])
      return false
    }
    followers.push(slot)
    if (leader !== this.#call) {
      leader.leads.#foreign++
      leader.drain()
    }
    return true
  }

  /** A row for a slot that leads, and for those that follow it. */
  land(slot: Slot, entry: Uint8Array): void {
    this.#call.give(slot, entry)
    if (slot.key === undefined) return
    const followers = this.#landed(slot.key)
    for (const follower of followers) follower.call.give(follower, entry)
    for (const { call } of followers) if (call !== this.#call) call.notify()
  }

  /** A failed row is the call's own: equal inputs of other calls are tried there. */
  fail(slot: Slot, error: NativeError): void {
    this.#call.deliver(slot, { ...error, index: slot.index })
    if (slot.key === undefined) return
    const others: Slot[] = []
    for (const follower of this.#landed(slot.key)) {
      if (follower.call === this.#call) this.#call.deliver(follower, { ...error, index: follower.index })
      else others.push(follower)
    }
    handOver(slot.key, others)
  }

  /** The call is over: every key that other calls wait for is led by one of those from now on. */
  handOverAll(): void {
    for (const key of [...this.#followers.keys()]) {
      handOver(
        key,
        this.#landed(key).filter(({ call }) => call !== this.#call),
      )
    }
  }

  /** Leads a key that another call gave up, for the slots that waited there and for those that wait here. */
  takeOver(key: string, followers: readonly Slot[]): void {
    this.#lead(key, [...this.#landed(key), ...followers])
  }

  #lead(key: string, followers: Slot[]): void {
    this.#followers.set(key, followers)
    this.#foreign += this.#foreignIn(followers)
    this.#flights.set(key, this.#self)
  }

  /** The flight of a key is over; those that followed. */
  #landed(key: string): Slot[] {
    const followers = this.#followers.get(key) ?? []
    this.#followers.delete(key)
    this.#flights.delete(key, this.#self)
    this.#foreign -= this.#foreignIn(followers)
    return followers
  }

  #foreignIn(slots: readonly Slot[]): number {
    return slots.filter(({ call }) => call !== this.#call).length
  }
}

/** Lets the first of some slots lead the others. */
function handOver(key: string, slots: readonly Slot[]): void {
  const [leader, ...followers] = slots.filter(({ call }) => call.isAlive)
  if (leader === undefined) return
  leader.call.leads.takeOver(key, followers)
  leader.call.embed([leader])
  leader.call.notify()
}
