/**
 * The conformance set of the image decoders against a Pillow of today: what the set says that Pillow makes of each file is what
 * Pillow makes of it. `crates/core/tests/conformance.rs` holds the decoders to the same set.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../support/paths.js'
import { hasPython, pythonWith } from '../support/python.js'

/** The version that the set was made with; another one may read other files. */
const PACKAGES = ['pillow==13.0.0', 'numpy']

it.skipIf(!hasPython)(
  'holds what Pillow makes of its files',
  () => {
    const script = join(ROOT, '__test__/fixtures/images/make/make.py')
    const python = pythonWith('python-pillow', PACKAGES)
    const output = execFileSync(python, ['-B', script, '--check'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const found = JSON.parse(output) as { files: number; differing: string[] }
    expect(found.differing).toEqual([])
    expect(found.files).toBeGreaterThan(900)
  },
  300_000,
)
