/**
 * The lines of a journal: JSON after a checksum, so that a line that was half written, or damaged, is seen. What lines mean is
 * in `journal.ts`.
 */

import { createReadStream } from 'node:fs'
import { crc32 } from 'node:zlib'
import { MillraceError } from '../../base/errors.js'

/** A line as bytes. */
export function lineOf(value: unknown): string {
  const json = JSON.stringify(value)
  return `${checksum(json)} ${json}\n`
}

/** An intact line and where it ends in the file. */
export interface ReadLine {
  value: unknown
  end: number
}

/**
 * The intact lines of a file, in order. A last line that is not whole is left out: a process died while it was written.
 *
 * @throws MillraceError JOURNAL_INVALID where a line with others after it is damaged.
 */
export async function* readLines(path: string): AsyncGenerator<ReadLine, void, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  let at = 0
  let damaged: number | undefined
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let from = 0
    for (let to = rest.indexOf(10); to >= 0; to = rest.indexOf(10, from)) {
      // A damaged line is the end only if nothing follows it.
      if (damaged !== undefined) throw damage(path, damaged)
      const value = parseLine(rest.toString('utf8', from, to))
      if (value === undefined) damaged = at + from
      else yield { value: value.value, end: at + to + 1 }
      from = to + 1
    }
    rest = rest.subarray(from)
    at += from
  }
}

function parseLine(line: string): { value: unknown } | undefined {
  const json = line.slice(9)
  if (line[8] !== ' ' || line.slice(0, 8) !== checksum(json)) return undefined
  return { value: JSON.parse(json) }
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0')
}

function damage(path: string, at: number): MillraceError {
  return new MillraceError(
    'JOURNAL_INVALID',
    `The journal ${path} is damaged at byte ${at}: what the store holds is not known; delete both and index again`,
  )
}
