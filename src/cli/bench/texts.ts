/** The texts that benches run on: the user's files, or the example texts of a checkout. */

import { existsSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { usageError } from '../exit.js'
import { readRecords } from '../input/records.js'
import { strings } from '../input/shapes.js'
import { packageFolder } from '../version.cjs'

/** The files, which must be there; without any the packaged texts, which what npm installs does not have. */
export async function benchFiles(files: readonly string[]): Promise<readonly string[]> {
  if (files.length > 0) {
    await Promise.all(files.filter((path) => path !== '-').map((path) => access(path)))
    return files
  }
  const path = join(packageFolder() ?? '', 'examples', 'packages.jsonl.gz')
  if (existsSync(path)) return [path]
  throw usageError('Expected a file of texts: the example texts are not part of the installed package')
}

/** Texts of the files, one after the other, empty ones left out. Throws the problem of a record that has none. */
export async function* eachText(
  files: readonly string[],
  field: string,
  limit: number,
): AsyncGenerator<string, void, undefined> {
  let left = limit
  for await (const { item, problem } of readRecords(files, { shape: strings(field), keep: [] })) {
    if (problem !== undefined) throw problem
    if (item === undefined || item.trim() === '') continue
    if (left-- <= 0) return
    yield item
  }
}

/** The same as a list. */
export async function readTexts(
  files: readonly string[],
  field: string,
  limit: number,
  signal: AbortSignal,
): Promise<string[]> {
  const texts: string[] = []
  for await (const text of eachText(files, field, limit)) {
    signal.throwIfAborted()
    texts.push(text)
  }
  return texts
}
