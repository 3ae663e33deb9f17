/** Splits bytes into lines. Decoding is per line, so that what is wrong can be told by line. */

import { isUtf8 } from 'node:buffer'
import { MillraceError } from '../../base/errors.js'

/** Longest line: texts are cut long before, and without a bound a file without line ends would fill the memory. */
const MAX_LINE_BYTES = 64 * 1024 * 1024

const LF = 0x0a
const CR = 0x0d

/** One line without its end. */
export interface Line {
  /** From 1. */
  number: number
  /** `undefined` when the bytes are no UTF-8. */
  text: string | undefined
  /** Position behind the line in its file, in unpacked bytes. */
  end: number
}

/** The lines of a file, some at a time. `name` is what messages call the file. */
export async function* readLines(
  name: string,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Line[], void, undefined> {
  let number = 0
  let end = 0
  let pieces: Buffer[] = []
  let pending = 0

  const line = (bytes: Buffer, endBytes: number): Line => {
    number++
    end += bytes.length + endBytes
    let content = bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes
    if (number === 1 && content.length >= 3 && content.readUIntBE(0, 3) === 0xefbbbf)
      content = content.subarray(3)
    return { number, text: isUtf8(content) ? content.toString('utf8') : undefined, end }
  }

  for await (const chunk of chunks) {
    const lines: Line[] = []
    let start = 0
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, start)) {
      const tail = chunk.subarray(start, at)
      lines.push(line(pending > 0 ? Buffer.concat([...pieces, tail]) : tail, 1))
      pieces = []
      pending = 0
      start = at + 1
    }
    if (start < chunk.length) {
      pieces.push(chunk.subarray(start))
      pending += chunk.length - start
    }
    if (pending > MAX_LINE_BYTES) {
      const limit = MAX_LINE_BYTES / 1024 / 1024
      throw new MillraceError('INPUT_INVALID', `${name}:${number + 1}: the line is longer than ${limit} MiB`)
    }
    if (lines.length > 0) yield lines
  }
  if (pending > 0) yield [line(Buffer.concat(pieces), 0)]
}
