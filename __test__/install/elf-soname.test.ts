/**
 * The SONAME patcher, and what it is for: millrace's ONNX Runtime and the npm package onnxruntime-node in one process,
 * whichever comes first. Each order runs in a process of its own, because libraries stay loaded.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { elfHash, readSoname, withSoname } from '../../scripts/elf-soname.mjs'
import { hostPlatform, packageDirectory } from '../../scripts/lib/platforms.mjs'

const ROOT = join(import.meta.dirname, '..', '..')
const GRAPH = '__test__/fixtures/goldens/models/minilm/model.onnx'
const platform = hostPlatform()
const ours = join(packageDirectory(ROOT, platform), platform.runtime)

describe('elf-soname', () => {
  it('hashes names as the System V ABI does', () => {
    // Values printed by readelf for well-known glibc versions (vna_hash).
    expect(elfHash('GLIBC_2.2.5')).toBe(0x09691a75)
    expect(elfHash('GLIBC_2.17')).toBe(0x06969197)
  })

  it('refuses what is no ELF library, a longer name and an empty one', () => {
    expect(() => withSoname(Buffer.from('MZ'.padEnd(64)), 'a.so')).toThrow('not an ELF file')
    const bytes = readFileSync(upstreamOf('linux/x64/libonnxruntime.so.1'))
    expect(() => withSoname(bytes, 'libonnxruntime.so.11')).toThrow('longer')
    expect(() => withSoname(bytes, '')).toThrow('empty')
  })

  it.each(['linux/x64/libonnxruntime.so.1', 'linux/arm64/libonnxruntime.so.1'])(
    'renames %s and nothing else',
    (file) => {
      const before = readFileSync(upstreamOf(file))
      const after = withSoname(before, 'libmillrace_ort.so')
      expect(readSoname(before)).toBe('libonnxruntime.so.1')
      expect(readSoname(after)).toBe('libmillrace_ort.so')
      expect(after.length).toBe(before.length)
      // The name itself and the hash of the base version definition.
      expect(countDifferences(before, after)).toBeLessThanOrEqual('libonnxruntime.so.1'.length + 4)
      expect(withSoname(after, 'libmillrace_ort.so').equals(after)).toBe(true)
    },
  )
})

describe('one process', () => {
  const millrace = `
    const addon = require(${JSON.stringify(join(packageDirectory(ROOT, platform), platform.addon))})
    const answer = await addon.initRuntime([${JSON.stringify(ours)}])
    if (answer.version !== '1.30.0') throw new Error(JSON.stringify(answer))`
  const other = `
    const ort = require('onnxruntime-node')
    const session = await ort.InferenceSession.create(${JSON.stringify(join(ROOT, GRAPH))})
    if (session.inputNames.length === 0) throw new Error('no inputs')`
  // With one name for both, the linker would answer the second request with the first library: one mapping.
  const both = `
    if (process.platform !== 'linux') return
    const maps = require('node:fs').readFileSync('/proc/self/maps', 'utf8')
    for (const name of ['libmillrace_ort.so', 'libonnxruntime.so.1']) {
      if (!maps.includes(name)) throw new Error(name + ' is not mapped')
    }`

  it.each([
    ['millrace first', [millrace, other, both]],
    ['onnxruntime-node first', [other, millrace, both]],
  ])('%s', (_name, parts) => {
    const source = `(async () => {${parts.map((part) => `await (async () => {${part}})()`).join('\n')}})()`
    const { status, stderr, signal } = spawnSync(process.execPath, ['-e', source], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    expect(`${signal ?? status}\n${stderr}`).toBe('0\n')
  })
})

const upstreamOf = (file: string) => join(ROOT, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6', file)

function countDifferences(a: Buffer, b: Buffer): number {
  let count = 0
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++
  return count
}
