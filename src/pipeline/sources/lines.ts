/** Splits bytes into lines. Each line is decoded by itself, so that what is wrong with it is told by its number and the others go on. */

import { isUtf8 } from 'node:buffer'
import { notValid, toUtf8Bytes } from './encoding.js'

/** Longest line: texts are cut long before, and without a bound a file without line ends would fill the memory. */
const MAX_LINE_BYTES = 64 * 1024 * 1024

const LF = 0x0a
const CR = 0x0d

/** One line without its end. */
export interface Line {
  /** From 1. */
  number: number
  /** `undefined` when the line cannot be read; `problem` then says why. */
  text: string | undefined
  /** "the bytes are not UTF-8": what is wrong, without the place. */
  problem?: string
  /** Position behind the line in its file, in unpacked bytes of UTF-8. */
  end: number
}

/** The lines of a file in `encoding` (UTF-8 unless a byte order mark says otherwise), some at a time. */
export async function* readLines(
  chunks: AsyncIterable<Buffer>,
  encoding?: string,
): AsyncGenerator<Line[], void, undefined> {
  let number = 0
  let end = 0
  let pieces: Buffer[] = []
  let pending = 0

  const line = (bytes: Buffer, endBytes: number): Line => {
    number++
    end += bytes.length + endBytes
    const content = bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes
    if (isUtf8(content)) return { number, text: content.toString('utf8'), end }
    return { number, text: undefined, problem: notValid(encoding ?? 'utf-8'), end }
  }
  const tooLong = (bytes: number): Line => {
    number++
    end += bytes
    const limit = MAX_LINE_BYTES / 1024 / 1024
    return { number, text: undefined, problem: `the line is longer than ${limit} MiB`, end }
  }
  /** Takes what is pending with the end of its line. */
  const finish = (tail: Buffer, endBytes: number): Line => {
    const length = pending + tail.length
    const whole = pending > 0 ? Buffer.concat([...pieces, tail]) : tail
    pieces = []
    pending = 0
    return length > MAX_LINE_BYTES ? tooLong(length + endBytes) : line(whole, endBytes)
  }

  for await (const chunk of toUtf8Bytes(chunks, encoding)) {
    const lines: Line[] = []
    let start = 0
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, start)) {
      lines.push(finish(chunk.subarray(start, at), 1))
      start = at + 1
    }
    if (start < chunk.length) {
      pending += chunk.length - start
      // What is too long is told where it ends; until then it is only counted, not held.
      if (pending <= MAX_LINE_BYTES) pieces.push(chunk.subarray(start))
      else pieces = []
    }
    if (lines.length > 0) yield lines
  }
  if (pending > 0) yield [finish(Buffer.alloc(0), 0)]
}
