/**
 * The head of a Markdown file: YAML between lines of `---`, or TOML between lines of `+++`. What stands between two rules and is neither is text, and
 * stays text: front matter that is taken away is embedded nowhere.
 */

import type { JsonValue } from '../document.js'
import { toJson } from './named.js'

/** What a file says of itself, and what follows. */
export interface FrontMatter {
  metadata: Record<string, JsonValue>
  rest: string
}

const YAML_BLOCK = /^---[ \t]*\r?\n((?:[\s\S]*?\r?\n)??)(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/
const TOML_BLOCK = /^\+\+\+[ \t]*\r?\n((?:[\s\S]*?\r?\n)??)\+\+\+[ \t]*(?:\r?\n|$)/

/** Front matter is at the very start; a longer block is text between two rules. */
const LONGEST = 64 * 1024

/** A line of a mapping, or one that can belong to the value of the line before: indented, an item of a list, a comment, blank. */
const YAML_LIKE = /^(?:[^\s#:'"[\]{}&*!|>%@`,-][^:]*:(?:\s.*)?|\s.*|- .*|#.*|)$/

/** Aliases make a short text large; what people write has a few. */
const MOST_ALIASES = 100

/** The head of the text, and the text without it. */
export async function frontMatterOf(text: string): Promise<FrontMatter> {
  const start = text.slice(0, LONGEST)
  const yaml = YAML_BLOCK.exec(start)
  const toml = TOML_BLOCK.exec(start)
  const metadata =
    yaml !== null ? await yamlOf(yaml[1] ?? '') : toml !== null ? await tomlOf(toml[1] ?? '') : undefined
  if (metadata === undefined) return { metadata: {}, rest: text }
  return { metadata, rest: text.slice((yaml ?? toml)?.[0].length) }
}

/** The mapping that the block is, or `undefined`. */
async function yamlOf(block: string): Promise<Record<string, JsonValue> | undefined> {
  const { parseDocument, isMap } = await import('yaml')
  const read = (source: string) => {
    const document = parseDocument(source, { intAsBigInt: true, logLevel: 'silent' })
    if (document.errors.length > 0 || !isMap(document.contents)) return undefined
    return jsonOf(document.toJS({ maxAliasCount: MOST_ALIASES }))
  }
  if (block.trim() === '') return {}
  const whole = read(block)
  if (whole !== undefined) return whole
  const lines = block.split(/\r?\n/)
  if (!lines.every((line) => YAML_LIKE.test(line)) || !/^\S+[^:]*:/.test(lines[0] ?? '')) return undefined
  // Almost YAML, as `title: Mills: a history` is: each entry is read by itself, and one that is none is kept as its author wrote it.
  const metadata: Record<string, JsonValue> = {}
  for (const entry of block.split(/\r?\n(?=[^\s#-])/)) {
    const [, key = '', value = ''] = /^([^:]+?)\s*:\s*([\s\S]*)$/.exec(entry) ?? []
    if (key === '') continue
    // Which of two values is meant nobody can tell, so the block stays text.
    if (Object.hasOwn(metadata, key)) return undefined
    const own = value.replaceAll(/^#.*$/gm, '').trim()
    Object.assign(metadata, read(entry) ?? { [key]: own })
  }
  return metadata
}

async function tomlOf(block: string): Promise<Record<string, JsonValue> | undefined> {
  const { parse } = await import('smol-toml')
  try {
    return jsonOf(parse(block, { integersAsBigInt: true }))
  } catch {
    return undefined
  }
}

function jsonOf(value: unknown): Record<string, JsonValue> {
  return toJson(value) as Record<string, JsonValue>
}
