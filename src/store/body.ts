/** Reads a body to its last byte, also when the connection breaks after it. */

import type { Readable } from 'node:stream'

/** Past this the sender is held back: enough packets to keep a line busy while the disk is written. */
const MOST_WAITING = 1 << 20

/**
 * The pieces of a stream, then its error. Iterating over the stream itself would drop what had arrived before an error,
 * and a line that breaks every few seconds would never get a file through. Listens from its making on.
 */
export class Body {
  readonly #stream: Readable
  readonly #waiting: Buffer[] = []
  #bytes = 0
  #ended: { error?: Error } | undefined
  #wake = (): void => {}

  constructor(stream: Readable) {
    this.#stream = stream
    stream.on('end', () => this.#end({}))
    stream.on('error', (error) => this.#end({ error }))
    stream.on('close', () => this.#end({ error: new Error('the connection was closed') }))
    stream.on('data', (piece: Buffer) => {
      this.#waiting.push(piece)
      this.#bytes += piece.length
      if (this.#bytes > MOST_WAITING) stream.pause()
      this.#wake()
    })
  }

  async *pieces(): AsyncGenerator<Buffer> {
    for (;;) {
      const piece = this.#waiting.shift()
      if (piece !== undefined) {
        this.#bytes -= piece.length
        if (this.#bytes <= MOST_WAITING) this.#stream.resume()
        yield piece
      } else if (this.#ended !== undefined) {
        if (this.#ended.error !== undefined) throw this.#ended.error
        return
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }

  #end(how: { error?: Error }): void {
    this.#ended ??= how
    this.#wake()
  }
}
