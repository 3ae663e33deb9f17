/**
 * Bytes into text, in whichever encoding a file has, and never with a guess: a byte order mark decides, then what the caller said, then
 * what an HTML page says of itself, then UTF-8. Bytes that are not valid in that encoding are an error with their line.
 * Splitting into lines is in `lines.ts`.
 */

import { isUtf8 } from 'node:buffer'
import { invalidOption, MillraceError } from '../../base/errors.js'
import type { Check } from '../../options/check.js'

/** Options of what reads text. */
export interface EncodingOptions {
  /**
   * Encoding of the files by its name in the WHATWG Encoding Standard: `windows-1252` (what Excel writes in western Europe; also called `latin1`),
   * `utf-16le`, `shift_jis`, `gb18030`… A byte order mark in a file wins. @default 'utf-8'; for HTML what `<meta charset>` says
   */
  encoding?: string | undefined
}

/**
 * The bytes 0x80 to 0x9F of windows-1252. Node 20's own decoder takes them for control characters: `€` would become U+0080, in silence.
 */
const WINDOWS_1252 =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
  '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178'

/** How far into a page its encoding may be declared, as browsers look for it. */
const DECLARED_WITHIN_BYTES = 1024

/** A byte that no UTF-8 text has: it marks what could not be decoded until the line it is in is known. */
const DAMAGE = 0xff

const REPLACEMENT = '\ufffd'

/** What bytes could not be decoded become, as UTF-8. */
const REPLACEMENT_BYTES = Buffer.from(REPLACEMENT)

/** Checks the name of an encoding and gives its standard name. */
export const encoding: Check<string> = (name, value) => {
  const known = typeof value === 'string' ? standardName(value) : undefined
  if (known === undefined) {
    throw invalidOption(name, "name of an encoding such as 'utf-8', 'windows-1252' or 'utf-16le'", value)
  }
  return known
}

function standardName(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding
  } catch {
    return undefined
  }
}

/**
 * The text of a whole file. `name` is what messages call it.
 *
 * @throws MillraceError INPUT_INVALID with the line of the first bytes that are not valid.
 */
export function decodeText(
  name: string,
  bytes: Buffer,
  { encoding, isHtml = false }: EncodingOptions & { isHtml?: boolean } = {},
): string {
  const mark = markOf(bytes)
  const chosen = mark?.encoding ?? encoding ?? (isHtml ? declaredIn(bytes) : undefined) ?? 'utf-8'
  const content = bytes.subarray(mark?.length ?? 0)
  const text = new Decoder(chosen).decode(content)
  if (isIntact(text, content, chosen)) return text
  const lines = toUtf8(text, chosen, content)
  const line = lineOfDamage(lines)
  throw new MillraceError('INPUT_INVALID', `${name}:${line}: ${notValid(chosen)}`)
}

/** "the line is not UTF-8 …": what messages say after the place. */
export function notValid(encoding: string): string {
  return encoding === 'utf-8'
    ? 'the bytes are not UTF-8; say which encoding the file has (encoding, on the command line --encoding)'
    : `the bytes are not valid ${encoding}`
}

/**
 * The same bytes in UTF-8 and without a byte order mark. What is not valid stays invalid: it becomes a byte that no UTF-8 has, so that whoever
 * splits the bytes into lines or fields finds it at its place.
 */
export async function* toUtf8Bytes(
  chunks: AsyncIterable<Buffer>,
  encoding: string | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  let head: Buffer | undefined = Buffer.alloc(0)
  let decoder: Decoder | undefined
  const begin = (bytes: Buffer): Buffer => {
    const mark = markOf(bytes)
    const chosen = mark?.encoding ?? encoding ?? 'utf-8'
    if (chosen !== 'utf-8') decoder = new Decoder(chosen)
    return bytes.subarray(mark?.length ?? 0)
  }
  for await (const chunk of chunks) {
    let bytes = chunk
    if (head !== undefined) {
      // A pipe may give one byte at a time, and a mark has up to three.
      head = Buffer.concat([head, chunk])
      if (head.length < 3) continue
      bytes = begin(head)
      head = undefined
    }
    yield decoder === undefined ? bytes : marked(decoder.decode(bytes, true))
  }
  const rest = head === undefined ? Buffer.alloc(0) : begin(head)
  if (decoder === undefined) {
    if (rest.length > 0) yield rest
  } else {
    yield marked(decoder.decode(rest))
  }
}

/** A byte order mark at the beginning, and how long it is. */
function markOf(bytes: Buffer): { encoding: string; length: number } | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { encoding: 'utf-8', length: 3 }
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { encoding: 'utf-16le', length: 2 }
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { encoding: 'utf-16be', length: 2 }
  return undefined
}

/** Decodes without failing: invalid bytes become U+FFFD. */
class Decoder {
  readonly #decoder: InstanceType<typeof TextDecoder> | undefined

  constructor(encoding: string) {
    const options = { ignoreBOM: true }
    this.#decoder = encoding === 'windows-1252' ? undefined : new TextDecoder(encoding, options)
  }

  decode(bytes: Buffer, stream = false): string {
    if (this.#decoder !== undefined) return this.#decoder.decode(bytes, { stream })
    return bytes
      .toString('latin1')
      .replace(/[\u0080-\u009f]/g, (character) => WINDOWS_1252[character.charCodeAt(0) - 0x80] ?? REPLACEMENT)
  }
}

function isIntact(text: string, bytes: Buffer, encoding: string): boolean {
  return encoding === 'utf-8' ? isUtf8(bytes) : !text.includes(REPLACEMENT)
}

function toUtf8(text: string, encoding: string, bytes: Buffer): Buffer {
  return encoding === 'utf-8' ? bytes : marked(text)
}

/** The text in UTF-8, with a byte that is not UTF-8 in place of each U+FFFD. */
function marked(text: string): Buffer {
  const bytes = Buffer.from(text)
  if (!text.includes(REPLACEMENT)) return bytes
  for (let at = bytes.indexOf(REPLACEMENT_BYTES); at >= 0; at = bytes.indexOf(REPLACEMENT_BYTES, at)) {
    bytes.fill(DAMAGE, at, at + REPLACEMENT_BYTES.length)
  }
  return bytes
}

/** The first line, from 1, that is no UTF-8. */
function lineOfDamage(bytes: Buffer): number {
  let line = 1
  let start = 0
  for (;;) {
    const feed = bytes.indexOf(0x0a, start)
    if (feed < 0 || !isUtf8(bytes.subarray(start, feed))) return line
    line++
    start = feed + 1
  }
}

/** What an HTML page, or the XML declaration of an XHTML one, says of its encoding, if that is known. */
function declaredIn(bytes: Buffer): string | undefined {
  const head = bytes.toString('latin1', 0, DECLARED_WITHIN_BYTES).replace(/<!--[\s\S]*?(?:-->|$)/g, '')
  const [, xml] = /^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"']+)["']/i.exec(head) ?? []
  const [, meta] = /<meta\s[^>]*?\bcharset\s*=\s*["']?\s*([^\s"'/>;]+)/i.exec(head) ?? []
  for (const label of [meta, xml]) {
    const found = label === undefined ? undefined : standardName(label)
    // Such a declaration was read as ASCII, so it cannot be true; browsers take UTF-8 then.
    if (found !== undefined) return found.startsWith('utf-16') ? 'utf-8' : found
  }
  return undefined
}
