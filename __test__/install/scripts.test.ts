/** What the set-up and packaging scripts rest on: reading results, comparing versions, tables that must agree. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { clearPackages } from '../../scripts/lib/packages.mjs'
import { PLATFORMS, packageName } from '../../scripts/lib/platforms.mjs'
import { atLeast } from '../../scripts/lib/requirements.mjs'
import { foreignIn } from '../../scripts/lib/source-rules.mjs'
import {
  closingLine,
  none,
  settle,
  sum,
  tallyCargo,
  tallyClosingLine,
  tallyVitest,
} from '../../scripts/lib/tally.mjs'
import { platformName, runtimeFile } from '../../src/binding/platform.js'

const ROOT = join(import.meta.dirname, '..', '..')
const readJson = (...path: string[]) => JSON.parse(readFileSync(join(ROOT, ...path), 'utf8'))

describe('packing', () => {
  it('into a folder with other files leaves those alone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-pack-'))
    for (const name of ['millrace-0.1.0.tgz', 'packages.json', 'notes.md'])
      writeFileSync(join(folder, name), '')
    mkdirSync(join(folder, 'src'))
    clearPackages(folder)
    expect(readdirSync(folder).sort()).toEqual(['notes.md', 'src'])
    rmSync(folder, { recursive: true })
  })
})

describe('tally', () => {
  it('sums the lines of cargo test', () => {
    const output = [
      'running 3 tests',
      'test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s',
      'test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s',
    ].join('\n')
    expect(tallyCargo(output)).toEqual({ passed: 7, failed: 2, skipped: 1 })
  })

  it('counts a vitest file that did not load', () => {
    const report = {
      numPassedTests: 5,
      numFailedTests: 1,
      numPendingTests: 2,
      testResults: [
        { status: 'failed', assertionResults: [] },
        { status: 'failed', assertionResults: [{}] },
      ],
    }
    expect(tallyVitest(report)).toEqual({ passed: 5, failed: 2, skipped: 2 })
  })

  it('takes the last closing line', () => {
    expect(tallyClosingLine('1 passed, 1 failed\nmore\n2 passed, 0 failed\n')).toEqual({
      passed: 2,
      failed: 0,
      skipped: 0,
    })
    expect(tallyClosingLine('nothing')).toEqual(none())
  })

  it('never lets a suite that could not run look green', () => {
    expect(settle(none(), 0).failed).toBe(1)
    expect(settle({ passed: 3, failed: 0, skipped: 0 }, 101).failed).toBe(1)
    expect(settle({ passed: 3, failed: 0, skipped: 0 }, 0).failed).toBe(0)
    expect(settle({ passed: 3, failed: 2, skipped: 0 }, 1).failed).toBe(2)
  })

  it('closes with the sum', () => {
    const total = sum([
      { passed: 1, failed: 2, skipped: 0 },
      { passed: 10, failed: 0, skipped: 4 },
    ])
    expect(closingLine(total)).toBe('11 passed, 2 failed')
  })
})

describe('atLeast', () => {
  it.each([
    ['20.17.0', '20.17', true],
    ['20.9.0', '20.17', false],
    ['22.0.0', '20.17', true],
    ['2.28', '2.28', true],
    ['2.3.4', '2.28', false],
  ])('%s against %s: %s', (have, want, expected) => {
    expect(atLeast(have, want)).toBe(expected)
  })
})

describe('foreignIn', () => {
  it('finds hosts of registries and paths of one machine', () => {
    expect(foreignIn(`"resolved": "https://${['registry', 'npmjs', 'org'].join('.')}/x"`)).toBeDefined()
    expect(foreignIn(`open('${['', 'root', 'x'].join('/')}')`)).toBeDefined()
  })

  it('leaves ordinary text alone', () => {
    expect(
      foreignIn('let path = "a/work/b" // see https://github.com/rust-lang/crates.io-index'),
    ).toBeUndefined()
  })
})

describe('packages', () => {
  it.each(PLATFORMS)('$id is the same in the table, the manifest and the loader', (platform) => {
    const manifest = readJson('npm', platform.id, 'package.json')
    expect(manifest).toMatchObject({
      name: packageName(platform),
      os: [platform.os],
      cpu: [platform.cpu],
      main: platform.addon,
    })
    expect(manifest.libc).toEqual(platform.libc === undefined ? undefined : [platform.libc])
    expect(manifest.files).toContain(platform.runtime)
    const glibc = platform.libc === undefined ? {} : { glibc: '2.28' }
    expect(platformName({ platform: platform.os, arch: platform.cpu, ...glibc })).toBe(platform.id)
    expect(runtimeFile(platform.os)).toBe(platform.runtime)
  })

  it('holds the model its manifest describes', () => {
    const directory = ['models', 'all-minilm-l6-v2']
    const { millrace } = readJson(...directory, 'package.json')
    const bytes = readFileSync(join(ROOT, ...directory, millrace.modelFile))
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(millrace.sha256)
    expect(readJson(...directory, 'config.json').hidden_size).toBe(millrace.dim)
    expect(readJson(...directory, 'sentence_bert_config.json').max_seq_length).toBe(millrace.maxLength)
  })

  it('has the versions of ONNX Runtime agree', () => {
    const pinned = readJson('package.json').devDependencies['onnxruntime-node']
    expect(readJson('node_modules', 'onnxruntime-node', 'package.json').version).toBe(pinned)
    for (const { id } of PLATFORMS) {
      expect(readFileSync(join(ROOT, 'npm', id, 'README.md'), 'utf8')).toContain(`ONNX Runtime ${pinned} `)
    }
  })
})
