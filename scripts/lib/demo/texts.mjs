/** The example texts: records `{ id, title, text }` of examples/packages.jsonl.gz. */

import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { ROOT } from '../run.mjs'

export async function readPackages() {
  const packages = []
  const file = createReadStream(join(ROOT, 'examples', 'packages.jsonl.gz'))
  for await (const line of createInterface({ input: file.pipe(createGunzip()) }))
    packages.push(JSON.parse(line))
  return packages
}
