/** Reads a source of documents in slices. What is done with a slice is in `intake.ts`. */

import { setTimeout as sleep } from 'node:timers/promises'
import { isPromise } from '../base/foreign.js'
import { checkSource, openSource, type Slice, type SourceReader } from '../stream/source.js'
import type { DocumentSource } from './document.js'

/** Documents of a slice, and their characters: few native calls, short turns, little to hold. */
const SLICE_DOCUMENTS = 64
const SLICE_CHARACTERS = 512 * 1024

/** How long a slice waits for more documents after its first: files take turns of the event loop to read. */
const GATHER_MS = 5

const DOCUMENTS = {
  expected: 'document',
  placeholder: undefined,
  isOne: () => false,
  encode: (x: unknown) => x,
  streamRemedy: 'give the path of the file to jsonlSource, csvSource or textSource',
  push: () => 0,
}

/** Throws INPUT_INVALID for what is no source of documents. */
export function checkDocumentSource(source: unknown): void {
  checkSource(source, DOCUMENTS)
}

/** The slices of one source. */
export class DocumentSlices {
  readonly #reader: SourceReader
  /** Most documents of a slice. */
  readonly #most: number
  /** A read that did not end in the time of the slice before. */
  #reading: Promise<Slice> | undefined

  constructor(source: DocumentSource, concurrency: number) {
    this.#reader = openSource(source, DOCUMENTS)
    this.#most = Math.min(SLICE_DOCUMENTS, concurrency)
  }

  /** Releases the source, at its end or before. */
  async stop(): Promise<void> {
    await this.#reader.stop()
  }

  /** Some documents: what comes within a few milliseconds, up to a bound. */
  async next(): Promise<Slice> {
    const first = await (this.#reading ?? this.#reader.read(this.#most))
    this.#reading = undefined
    const items = [...first.items]
    let { done } = first
    let characters = items.reduce((sum: number, item) => sum + lengthOf(item), 0)
    const late = sleep(GATHER_MS)
    while (!done && items.length < this.#most && characters < SLICE_CHARACTERS) {
      const reading = this.#reader.read(this.#most - items.length)
      const slice = isPromise(reading) ? await Promise.race([reading, late]) : reading
      if (slice === undefined) {
        this.#reading = reading as Promise<Slice>
        // Its error is thrown when it is awaited, in the next slice.
        this.#reading.catch(() => {})
        break
      }
      done = slice.done
      items.push(...slice.items)
      for (const item of slice.items) characters += lengthOf(item)
    }
    return { items, done }
  }
}

function lengthOf(item: unknown): number {
  const { text } = (typeof item === 'object' && item !== null ? item : {}) as { text?: unknown }
  return typeof text === 'string' ? text.length : 0
}
