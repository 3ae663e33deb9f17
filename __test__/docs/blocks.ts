/**
 * The code blocks of README.md and docs/. An HTML comment before a block, which no reader sees, says what it needs:
 *
 *     <!-- example: NAME -->                    NAME is a scene of scenes.ts: what stands before the block
 *     <!-- example: NAME, not run: why -->      the block is checked, and not run
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../support/paths.js'

export interface Block {
  /** `docs/sinks.md:12`: the file and the line at which the block begins. */
  place: string
  language: string
  code: string
  /** Name of a scene; empty for a block that needs nothing. */
  scene: string
  /** Why it is not run, if it is not. */
  notRun: string | undefined
}

const MARK = /^<!-- example: ([a-z]+)(?:, not run: (.+))? -->$/

/** Every block of the documents, in order. */
export function readBlocks(): Block[] {
  const files = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)]
  return files.filter((file) => file.endsWith('.md')).flatMap(blocksOf)
}

function blocksOf(file: string): Block[] {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\w*)\s*$/.exec(lines[at] ?? '')
    if (fence === null) continue
    const end = lines.indexOf('```', at + 1)
    if (end < 0) throw new Error(`${file}:${at + 1}: the block is not closed`)
    const [, scene = '', notRun] = MARK.exec(lines[at - 1] ?? '') ?? []
    const code = lines.slice(at + 1, end).join('\n')
    blocks.push({ place: `${file}:${at + 1}`, language: fence[1] ?? '', code, scene, notRun })
    at = end
  }
  return blocks
}
