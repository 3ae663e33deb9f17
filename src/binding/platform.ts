/** Which platforms have an addon, and why this machine may have none. It loads nothing. */

import { MillraceError } from '../base/errors.js'

/** What the choice depends on. */
export interface Machine {
  platform: string
  arch: string
  /** Version of glibc; absent on Linux with another C library, and on other systems. */
  glibc?: string
}

/** The oldest glibc the Linux builds run on: that of RHEL 8 and Debian 10, and ONNX Runtime's own floor. */
const OLDEST_GLIBC = [2, 28] as const

const PLATFORMS: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64-gnu',
  'linux-arm64': 'linux-arm64-gnu',
  'darwin-arm64': 'darwin-arm64',
  'win32-x64': 'win32-x64-msvc',
}

/** File name of our copy of ONNX Runtime beside the addon; renamed, so that no other package's copy is taken for it. */
const RUNTIME_FILES: Readonly<Record<string, string>> = {
  darwin: 'libmillrace_ort.dylib',
  win32: 'millrace_ort.dll',
}

/** This machine. */
export function thisMachine(): Machine {
  const glibc = process.platform === 'linux' ? glibcVersion() : undefined
  return { platform: process.platform, arch: process.arch, ...(glibc !== undefined && { glibc }) }
}

function glibcVersion(): string | undefined {
  // Types of Node 20.0 lack it. Without it the report resolves the machine's addresses, which can take seconds.
  const report = process.report as typeof process.report & { excludeNetwork?: boolean }
  const before = report.excludeNetwork
  report.excludeNetwork = true
  try {
    const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
    return header.glibcVersionRuntime
  } finally {
    report.excludeNetwork = before ?? false
  }
}

/** Name of the platform's package, as in `@millrace/NAME`, or why there is none and what to do. */
export function platformName(machine: Machine): string | MillraceError {
  const name = PLATFORMS[`${machine.platform}-${machine.arch}`]
  if (machine.platform === 'linux' && machine.glibc === undefined) {
    return unsupported(
      'This system has no glibc (musl, as on Alpine Linux), and ONNX Runtime has no build for it. ' +
        "Use an image with glibc, such as Debian's node:20-slim",
    )
  }
  if (machine.glibc !== undefined && isOlder(machine.glibc)) {
    const needed = OLDEST_GLIBC.join('.')
    return unsupported(
      `This system has glibc ${machine.glibc}, and ${needed} or newer is needed (Debian 10, Ubuntu 20.04, RHEL 8). ` +
        'Use a newer system or container image',
    )
  }
  if (name !== undefined) return name
  if (machine.platform === 'darwin' && machine.arch === 'x64') {
    return unsupported(
      'There is no build for Intel Macs or for an x64 Node under Rosetta. On Apple silicon, install the arm64 Node',
    )
  }
  const known = Object.values(PLATFORMS).join(', ')
  return unsupported(`There is no build for ${machine.platform} ${machine.arch}; there is one for ${known}`)
}

/** File name of the platform's copy of ONNX Runtime. */
export function runtimeFile(platform: string): string {
  return RUNTIME_FILES[platform] ?? 'libmillrace_ort.so'
}

function isOlder(glibc: string): boolean {
  const [major = 0, minor = 0] = glibc.split('.').map(Number)
  const [oldMajor, oldMinor] = OLDEST_GLIBC
  return major < oldMajor || (major === oldMajor && minor < oldMinor)
}

function unsupported(message: string): MillraceError {
  return new MillraceError('RUNTIME_INCOMPATIBLE', message)
}
