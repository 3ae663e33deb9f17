/** Documents out of JSON lines. gzip is unpacked; a file is read a piece at a time. */

import { MillraceError } from '../../base/errors.js'
import { parseOptions } from '../../options/check.js'
import type { NamedDocumentSource } from '../document.js'
import { inputName, readBytes } from './bytes.js'
import { MissingFields } from './fields.js'
import { readJsonLines } from './json-lines.js'
import { type Documents, documentOf, eachFile, named, pathList } from './named.js'
import { paths as checkPaths, type RecordOptions, recordChecks, shapeOf } from './options.js'

/**
 * A JSON object a line is a document; empty lines are skipped. A line that is no JSON, or has no text, is a document that cannot be
 * read, named by its place. Integers beyond 2^53 are kept digit by digit: as an id, and in metadata as text.
 *
 * @example
 * jsonlSource('docs.jsonl.gz', { id: 'url', text: ['title', 'body'], metadata: ['author', 'meta.year'] })
 */
export function jsonlSource(paths: string | readonly string[], options?: RecordOptions): NamedDocumentSource {
  const files = pathList(checkPaths('paths', paths))
  const shape = shapeOf(parseOptions<RecordOptions>('jsonlSource', options, recordChecks))
  const name = files.join(', ')
  return named(`JSON lines ${name}`, async function* (): Documents {
    const missing = new MissingFields(shape.asked)
    yield* eachFile(files, async function* (path): Documents {
      for await (const lines of readJsonLines(readBytes(path))) {
        for (const { number, value, problem } of lines) {
          const place = `${inputName(path)}:${number}`
          if (problem !== undefined) {
            const { code, message, cause } = problem
            yield { id: place, error: new MillraceError(code, `${place}: ${message}`, { cause }) }
            continue
          }
          missing.see(value)
          yield documentOf(value, place, shape)
        }
      }
    })
    missing.warn(name)
  })
}
