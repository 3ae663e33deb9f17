/** Rules about the text of source files: how long one may be, and which names of other people's machines stay out. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { outputOf, ROOT, SetupError } from './run.mjs'

/** Past this a file is more than one thing; the aim is a median of 200. */
const LONGEST = 400

/** Tables of models, and what set-up writes: they are looked up, not read. */
const TABLES = /^src\/(models\/data\/|binding\/generated\.d\.ts$)/

const SOURCE = /\.(rs|ts|mts|cts|mjs|cjs|py|sh)$/

/** Files that are longer than they may be and wait to be split: each may shrink, and none may grow. */
const TO_SPLIT = {
  'crates/encoder/src/follow/arithmetic.rs': 557,
  'crates/encoder/src/follow/shapes.rs': 650,
  'crates/encoder/src/onnx/file.rs': 460,
  'crates/encoder/src/run.rs': 415,
}

/** Made by others, or from others' work, word for word. */
const FOREIGN_FILES = /^(__test__\/fixtures\/|models\/.*\.(json|onnx)$|npm\/ThirdPartyNotices)/

/**
 * Hosts of package registries and paths of one machine: a clone must work behind any mirror and in any directory.
 * The index that Cargo.lock names is an identifier of crates, not a host that is asked.
 */
const FOREIGN_TEXT = [
  /\bregistry\.npmjs\.\w+/,
  /\b(index|static)\.crates\.io\b/,
  /\b(pypi\.org|pythonhosted\.org)\b/,
  /\bdeb\.debian\.org\b/,
  /(^|[\s"'`=:([])\/(work|root|home|Users)\/\w/,
]

/** Files that git tracks or would track. */
function repositoryFiles() {
  const output = outputOf(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'])
  if (output === undefined) throw new SetupError('git ls-files failed', 'run it in a git checkout')
  return output
    .split('\0')
    .filter((file) => file !== '' && statSync(join(ROOT, file), { throwIfNoEntry: false })?.isFile())
}

/** Prints the median and the longest file; false when one is too long. */
export function fileLengths(say) {
  const files = repositoryFiles()
    .filter((file) => SOURCE.test(file) && !TABLES.test(file))
    .map((file) => ({ file, lines: readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1 }))
    .sort((a, b) => a.lines - b.lines)
  const longest = files.at(-1)
  say(
    `${files.length} source files, median ${files[files.length >> 1].lines} lines, longest ${longest.file} with ${longest.lines}`,
  )
  const most = (file) => TO_SPLIT[file] ?? LONGEST
  const long = files.filter(({ file, lines }) => lines > most(file))
  for (const { file, lines } of long) say(`${file}: ${lines} lines, at most ${most(file)}`)
  return long.length === 0
}

/** What of `line` names a registry host or a path of one machine; `undefined` when nothing does. */
export function foreignIn(line) {
  return FOREIGN_TEXT.map((pattern) => pattern.exec(line)?.[0].trim()).find((found) => found !== undefined)
}

/** Prints each place that names a registry host or a path of one machine; false when there is one. */
export function foreignText(say) {
  let good = true
  for (const file of repositoryFiles()) {
    if (FOREIGN_FILES.test(file)) continue
    const bytes = readFileSync(join(ROOT, file))
    if (bytes.includes(0)) continue
    for (const [number, line] of bytes.toString('utf8').split('\n').entries()) {
      const found = foreignIn(line)
      if (found === undefined) continue
      say(`${file}:${number + 1}: ${found}`)
      good = false
    }
  }
  return good
}
