/**
 * The head of a Markdown file, and titles. Of YAML only lines `key: value` with a plain or quoted value are read, which is what most
 * front matter has; other lines are left out. It is no YAML parser.
 */

import type { JsonValue, TextFormat } from '../document.js'

/** What a file says of itself, and what follows. */
export interface FrontMatter {
  metadata: Record<string, JsonValue>
  rest: string
}

const BLOCK = /^---[ \t]*\r?\n([\s\S]*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/
const ENTRY = /^([\w-]+)[ \t]*:[ \t]+(.+?)[ \t]*$/

/** Front matter is at the very start; a longer block is text between two rules. */
const LONGEST = 64 * 1024

/** The head of the text, and the text without it. */
export function frontMatterOf(text: string): FrontMatter {
  const block = BLOCK.exec(text.slice(0, LONGEST))
  if (block === null) return { metadata: {}, rest: text }
  const metadata: Record<string, JsonValue> = {}
  for (const line of (block[1] ?? '').split(/\r?\n/)) {
    const [, key, value] = ENTRY.exec(line) ?? []
    // A list, an object, a block or an anchor is more than a line.
    if (key === undefined || value === undefined || /^[[{|>&*!]/.test(value)) continue
    metadata[key] = scalar(value)
  }
  return { metadata, rest: text.slice(block[0].length) }
}

/** The first heading of Markdown, or an HTML page's title. */
export function titleOf(text: string, format: TextFormat): string | undefined {
  const start = text.slice(0, LONGEST)
  const found =
    format === 'markdown'
      ? /^#{1,6}[ \t]+(.+?)[ \t#]*$/m.exec(start)?.[1]
      : format === 'html'
        ? /<title[^>]*>([^<]*)<\/title>/i.exec(start)?.[1]
        : undefined
  const title = found?.replace(/\s+/g, ' ').trim()
  return (
    (format === 'html'
      ? title?.replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name: string) => ENTITIES[name] ?? '')
      : title) || undefined
  )
}

/** What is written in titles; the text itself is read by the HTML parser of the addon. */
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  nbsp: ' ',
}

function scalar(value: string): JsonValue {
  const quoted = /^"(.*)"$|^'(.*)'$/.exec(value)
  if (quoted !== null) return quoted[1] ?? quoted[2]?.replaceAll("''", "'") ?? ''
  if (value === 'true' || value === 'false') return value === 'true'
  if (value === 'null' || value === '~') return null
  return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value.replace(/\s+#.*$/, '')
}
