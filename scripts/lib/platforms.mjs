/**
 * The platforms millrace is published for, as data, and which of them this machine is. One row says everything that
 * differs: package limits, Rust target, and where onnxruntime-node keeps the runtime library.
 */
import { join } from 'node:path'

/** Base name of our copy of ONNX Runtime; as long as its SONAME may be (see elf-soname.mjs). */
const RUNTIME = 'millrace_ort'

/** @typedef {{ id: string, os: string, cpu: string, libc?: string, target: string, addon: string, cdylib: string, runtime: string, onnxruntime: string, companions: string[] }} Platform */

/** @type {Platform[]} */
export const PLATFORMS = [
  {
    id: 'linux-x64-gnu',
    os: 'linux',
    cpu: 'x64',
    libc: 'glibc',
    target: 'x86_64-unknown-linux-gnu',
    addon: 'millrace.linux-x64-gnu.node',
    cdylib: 'libmillrace_node.so',
    runtime: `lib${RUNTIME}.so`,
    onnxruntime: 'linux/x64/libonnxruntime.so.1',
    companions: [],
  },
  {
    id: 'linux-arm64-gnu',
    os: 'linux',
    cpu: 'arm64',
    libc: 'glibc',
    target: 'aarch64-unknown-linux-gnu',
    addon: 'millrace.linux-arm64-gnu.node',
    cdylib: 'libmillrace_node.so',
    runtime: `lib${RUNTIME}.so`,
    onnxruntime: 'linux/arm64/libonnxruntime.so.1',
    companions: [],
  },
  {
    id: 'darwin-arm64',
    os: 'darwin',
    cpu: 'arm64',
    target: 'aarch64-apple-darwin',
    addon: 'millrace.darwin-arm64.node',
    cdylib: 'libmillrace_node.dylib',
    runtime: `lib${RUNTIME}.dylib`,
    onnxruntime: 'darwin/arm64/libonnxruntime.1.30.0.dylib',
    companions: [],
  },
  {
    id: 'win32-x64-msvc',
    os: 'win32',
    cpu: 'x64',
    target: 'x86_64-pc-windows-msvc',
    addon: 'millrace.win32-x64-msvc.node',
    cdylib: 'millrace_node.dll',
    runtime: `${RUNTIME}.dll`,
    onnxruntime: 'win32/x64/onnxruntime.dll',
    // Delay-loaded by ONNX Runtime, so the CPU path never opens it; DirectML comes with Windows 10 and later.
    companions: [],
  },
]

export const packageName = (platform) => `@millrace/${platform.id}`
export const packageDirectory = (root, platform) => join(root, 'npm', platform.id)

/** Whether this Linux has another C library than glibc. The network part of the report can take seconds: left out. */
function isMusl() {
  if (process.platform !== 'linux') return false
  process.report.excludeNetwork = true
  return process.report.getReport().header.glibcVersionRuntime === undefined
}

/** This machine's row. Throws with the list of what is supported. */
export function hostPlatform() {
  const musl = isMusl()
  const found = PLATFORMS.find((p) => p.os === process.platform && p.cpu === process.arch)
  if (found !== undefined && !musl) return found
  const here = `${process.platform}-${process.arch}${musl ? ' with musl' : ''}`
  throw new Error(
    `millrace does not run on ${here}. Supported: ${PLATFORMS.map((p) => p.id).join(', ')}` +
      (musl ? '. ONNX Runtime has no musl build: use a glibc image, for example node:22-slim' : ''),
  )
}
