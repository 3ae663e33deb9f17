/** Which addon and which ONNX Runtime library are looked for, and what is said where there is none. */
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../index.js'
import { runtimeCandidates } from '../src/binding/load.js'
import { packageRoot } from '../src/binding/package-root.js'
import { platformName, runtimeFile, thisMachine } from '../src/binding/platform.js'

describe('the platform', () => {
  it.each([
    [{ platform: 'linux', arch: 'x64', glibc: '2.28' }, 'linux-x64-gnu'],
    [{ platform: 'linux', arch: 'arm64', glibc: '3.0' }, 'linux-arm64-gnu'],
    [{ platform: 'darwin', arch: 'arm64' }, 'darwin-arm64'],
    [{ platform: 'win32', arch: 'x64' }, 'win32-x64-msvc'],
  ])('of %o has a package', (machine, name) => {
    expect(platformName(machine)).toBe(name)
  })

  it.each([
    [{ platform: 'linux', arch: 'x64' }, /musl.*node:20-slim/],
    [{ platform: 'linux', arch: 'x64', glibc: '2.17' }, /glibc 2\.17, and 2\.28 or newer/],
    [{ platform: 'darwin', arch: 'x64' }, /Intel Macs.*arm64 Node/],
    [{ platform: 'linux', arch: 'ia32', glibc: '2.36' }, /no build for linux ia32/],
    [{ platform: 'freebsd', arch: 'x64' }, /no build for freebsd x64/],
  ])('of %o is one clear error', (machine, message) => {
    const refusal = platformName(machine)
    expect(refusal).toBeInstanceOf(MillraceError)
    expect(refusal).toMatchObject({ code: 'RUNTIME_INCOMPATIBLE', message: expect.stringMatching(message) })
  })

  it('is this machine', () => {
    const machine = thisMachine()
    expect(machine).toMatchObject({ platform: process.platform, arch: process.arch })
    if (process.platform !== 'linux') expect(machine.glibc).toBe(undefined)
  })
})

describe('the runtime library', () => {
  const addon = '/p/millrace.node'

  it('is the one beside the addon', () => {
    expect(runtimeCandidates(addon, {})).toEqual([join('/p', runtimeFile(process.platform))])
    expect(runtimeCandidates(addon, { MILLRACE_ORT_PATH: '' })).toHaveLength(1)
  })

  it('is MILLRACE_ORT_PATH and nothing else when that is set', () => {
    expect(runtimeCandidates(addon, { MILLRACE_ORT_PATH: 'x/lib.so' })).toEqual([resolve('x/lib.so')])
  })
})

it('finds its own package', () => {
  expect(packageRoot()).toBe(resolve(import.meta.dirname, '..'))
})
