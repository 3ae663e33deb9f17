/**
 * A missing, foreign, broken or old libonnxruntime is a typed error, soon, and the process lives on. onnxruntime-node
 * beside us works, whoever comes first.
 */

import { execFileSync } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runtimeInfo, systemInfo } from '../../index.js'
import { PATIENCE_MS } from '../support/patience.js'
import { reportOf } from '../support/run-child.js'

interface Failure {
  code: string
  message: string
  milliseconds: number
  /** The same again: a failed attempt must not wedge the process. */
  again: string
}

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-runtime-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const load = (path: string) =>
  reportOf<Failure>('runtime-fault.mjs', { env: { MILLRACE_ORT_PATH: path }, killAfterMs: 15_000 })

describe('a library that cannot be used', () => {
  /** Makes the file and says which code it must give. */
  const faults: Record<string, { code: string; make: (path: string) => Promise<void> | void }> = {
    missing: { code: 'RUNTIME_NOT_FOUND', make: () => {} },
    'text file': {
      code: 'RUNTIME_INCOMPATIBLE',
      make: (path) => writeFileSync(path, 'not a library\n'.repeat(99)),
    },
    'empty file': { code: 'RUNTIME_INCOMPATIBLE', make: (path) => writeFileSync(path, '') },
    'foreign architecture': { code: 'RUNTIME_INCOMPATIBLE', make: foreign },
    'cut in the middle': {
      code: 'RUNTIME_INCOMPATIBLE',
      make: async (path) => {
        copyFileSync((await runtimeInfo()).path, path)
        execFileSync('truncate', ['-s', '4M', path])
      },
    },
    'too old': { code: 'RUNTIME_INCOMPATIBLE', make: (path) => compile(path, ONNX_RUNTIME_1_17) },
    'some other library': { code: 'RUNTIME_INCOMPATIBLE', make: (path) => compile(path, 'int other = 1;') },
  }

  it.each(Object.entries(faults))('is a typed error: %s', async (name, fault) => {
    const path = join(folder, `${name.replaceAll(' ', '-')}.so`)
    await fault.make(path)
    const failure = await load(path)
    expect(failure.code).toBe(fault.code)
    expect(failure.again).toBe(fault.code)
    expect(failure.message).toContain(path)
    expect(failure.milliseconds).toBeLessThan(PATIENCE_MS)
  })
})

describe('MILLRACE_ORT_PATH', () => {
  it('takes the library it names', async () => {
    const path = join(folder, 'chosen.so')
    copyFileSync((await runtimeInfo()).path, path)
    const failure = await load(path)
    expect(failure).toMatchObject({ code: 'none', message: path })
  })
})

describe('onnxruntime-node in the same process', () => {
  it.each(['theirs first', 'ours first'])('works: %s', async (order) => {
    const result = await reportOf<{ ours: number; theirs: number[]; ourPath: string }>('two-runtimes.mjs', {
      args: [order],
    })
    expect(result.ours).toBe(384)
    expect(result.theirs.at(-1)).toBeGreaterThan(0)
    expect(result.ourPath).not.toContain('onnxruntime-node')
  })
})

/** A copy of our own library that says it is for another machine (byte 18 of an ELF header). */
async function foreign(path: string): Promise<void> {
  copyFileSync((await runtimeInfo()).path, path)
  const AARCH64 = 0xb7
  const X86_64 = 0x3e
  const file = openSync(path, 'r+')
  writeSync(file, Uint8Array.of(systemInfo().arch === 'aarch64' ? X86_64 : AARCH64), 0, 1, 18)
  closeSync(file)
}

/** What a library of 2024 answers: its version, and no API as new as ours. */
const ONNX_RUNTIME_1_17 = `
  static const void* api(unsigned wanted) { (void)wanted; return 0; }
  static const char* version(void) { return "1.17.3"; }
  static const struct { const void* (*api)(unsigned); const char* (*version)(void); } base = { api, version };
  const void* OrtGetApiBase(void) { return &base; }`

/** Building the addon needs a C compiler too, as Rust's linker. */
function compile(path: string, source: string): void {
  const file = `${path}.c`
  writeFileSync(file, source)
  execFileSync('cc', ['-shared', '-fPIC', '-o', path, file])
  if (!existsSync(path)) throw new Error(`cc made no ${path}`)
}
