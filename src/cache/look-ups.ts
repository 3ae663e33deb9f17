/** Keys of a call's inputs and rows that tiers have: what needs no embedding. Which inputs lead is decided in `leads.ts`. */

import { nextTurn, turnIsLong } from '../base/turn.js'
import type { TieredCache } from '../options/cache.js'
import type { CallWindow } from './call-window.js'
import type { Inputs } from './keyed-inputs.js'
import type { CachedCall, Slot } from './slot.js'

/** Look-ups under way at a time and keys of one: a tier always has work, and its answers come in small pieces. */
const LOOKUPS = 2
const LOOKUP_KEYS = 256

/** What look-ups ask of their call besides what every part may ask. */
export interface LookingCall extends CachedCall {
  readonly isOver: boolean
  /** Whether inputs whose keys take time must wait until others have gone into the native job. */
  readonly holdsBack: boolean
}

/** The look-ups of one call. */
export class LookUps {
  readonly #call: LookingCall
  readonly #window: CallWindow
  readonly #cache: TieredCache
  /** Slots whose keys are not known yet, and whether one is being made. */
  #unprepared: Slot[] = []
  #preparing = false
  /** Slots that lead, to be looked for in tiers that take time. */
  #toLook: Slot[] = []
  /** Look-ups in such tiers that are under way. */
  #looking = 0

  constructor(call: LookingCall, window: CallWindow, cache: TieredCache) {
    this.#call = call
    this.#window = window
    this.#cache = cache
  }

  /** Whether something is on its way that will give rows or slots to embed. */
  get isBusy(): boolean {
    return this.#preparing || this.#looking > 0
  }

  /** Whether every slot has been looked for. */
  get isDone(): boolean {
    return !this.isBusy && this.#unprepared.length === 0 && this.#toLook.length === 0
  }

  /** Gives inputs their keys and looks for their rows, at once as far as that goes. */
  take(first: number, inputs: Inputs): void {
    const slots = Array.from({ length: inputs.length }, (_, place): Slot => {
      const slot = { call: this.#call, index: first + place, inputs, place, key: undefined, size: 0 }
      this.#window.hold(slot, inputs.sizeOf(place))
      return slot
    })
    if (inputs.keys !== undefined) {
      this.#lookUp(slots, inputs.keys)
      return
    }
    this.#unprepared.push(...slots)
    this.goOn()
  }

  /** Makes the next key that takes time, one at a time, while the inputs that are read for that have room. */
  goOn(): void {
    if (this.#preparing || this.#call.holdsBack || !this.#call.isAlive) return
    const slot = this.#unprepared.shift()
    if (slot === undefined) return
    this.#preparing = true
    void slot.inputs.prepare(slot.place).then((key) => {
      this.#preparing = false
      if (this.#call.isOver) return
      this.#window.hold(slot, slot.inputs.sizeOf(slot.place))
      this.#lookUp([slot], [key])
      this.#call.notify()
    })
  }

  /** Forgets what was not looked for yet. */
  clear(): void {
    this.#unprepared = []
    this.#toLook = []
  }

  #lookUp(slots: readonly Slot[], keys: readonly (string | undefined)[]): void {
    const toEmbed: Slot[] = []
    const keyed: Slot[] = []
    for (const [i, slot] of slots.entries()) {
      slot.key = keys[i]
      if (slot.key === undefined) toEmbed.push(slot)
      else keyed.push(slot)
    }
    const found = this.#cache.now(keyed.map(({ key }) => key as string))
    const leads: Slot[] = []
    let hits = 0
    let shared = 0
    for (const [i, slot] of keyed.entries()) {
      const entry = found[i]
      if (entry !== undefined) {
        hits++
        this.#call.give(slot, entry)
      } else if (this.#call.leads.follow(slot)) {
        shared++
      } else {
        leads.push(slot)
      }
    }
    this.#cache.count('hits', hits)
    this.#cache.count('shared', shared)
    if (this.#cache.waits) {
      this.#toLook.push(...leads)
      this.#lookLater()
    } else {
      this.#cache.count('misses', leads.length)
      toEmbed.push(...leads)
    }
    this.#call.embed(toEmbed)
  }

  #lookLater(): void {
    while (this.#looking < LOOKUPS && this.#toLook.length > 0 && !this.#call.isOver) {
      this.#looking++
      void this.#lookFor(this.#toLook.splice(0, LOOKUP_KEYS))
    }
  }

  async #lookFor(leads: readonly Slot[]): Promise<void> {
    const found = await this.#cache.later(leads.map(({ key }) => key as string))
    while (turnIsLong()) await nextTurn()
    this.#looking--
    if (this.#call.isOver) return // its keys were handed over
    const toEmbed: Slot[] = []
    for (const [i, slot] of leads.entries()) {
      const entry = found[i]
      if (entry === undefined) toEmbed.push(slot)
      else this.#call.leads.land(slot, entry)
    }
    this.#cache.count('hits', leads.length - toEmbed.length)
    this.#cache.count('misses', toEmbed.length)
    this.#lookLater()
    this.#call.embed(toEmbed)
    this.#call.notify()
  }
}
