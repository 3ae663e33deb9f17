/** Writing to the terminal: lines, colours, numbers for people. No decisions about what is said. */

import { styleText } from 'node:util'

/** Colours only where someone looks: a terminal, unless NO_COLOR (no-color.org) says not to. */
function hasColour(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, TERM } = process.env
  return stream.isTTY === true && (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb'
}

/** Paints for one stream, or returns the text as it is. */
export function painter(
  stream: NodeJS.WriteStream,
): (style: 'bold' | 'dim' | 'red' | 'green' | 'yellow', text: string) => string {
  const colour = hasColour(stream)
  return (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text)
}

/** Whether a line can be redrawn. */
export function isInteractive(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && process.env['TERM'] !== 'dumb'
}

/** Writes a line to standard error. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Writes to standard output; resolves when it is out, rejects with EPIPE when nobody reads. */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()))
  })
}

/** `12,345`, whatever the locale. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** `1.2 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

/** `1.5 GiB`. */
export function bytes(size: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  let value = size
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** `0:07`, `12:30`, `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const tail = String(s).padStart(2, '0')
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${tail}` : `${m}:${tail}`
}

/** One line of at most `width` characters. Only cuts; wide characters are counted as one. */
export function oneLine(text: string, width = Number.POSITIVE_INFINITY): string {
  const line = text.replace(/\s+/g, ' ').trim()
  if (line.length <= width) return line
  return `${line.slice(0, Math.max(0, width - 1)).replace(/[\ud800-\udbff]$/, '')}…`
}

/** On a narrower terminal a text is not cut further: its beginning must be readable. */
const LEAST_TEXT_COLUMNS = 20

/**
 * How many characters of a text fit behind `left` columns of a terminal; `undefined` where nothing need be cut: in a pipe, and on a terminal
 * that does not know its width and says 0.
 */
export function textWidth({ isTTY, columns }: NodeJS.WriteStream, left: number): number | undefined {
  return isTTY === true && columns > 0 ? Math.max(columns - left, LEAST_TEXT_COLUMNS) : undefined
}
