/** What millrace sees of the machine, for bug reports and the command line's `doctor`. It loads no model. */

import { loadAddon, loadRuntime } from './load.js'
import { thisMachine } from './platform.js'
import type { NativeRuntimeInfo, NativeSystemInfo } from './types.js'

/** The machine and the addon; sizes in bytes. */
export interface SystemInfo extends NativeSystemInfo {
  /** The addon's file. */
  addonPath: string
  /** Version of Node. */
  node: string
  /** Version of glibc, on Linux. */
  glibc?: string
}

/** The ONNX Runtime library in use. */
export interface RuntimeInfo extends NativeRuntimeInfo {}

/** A device, and whether the loaded library can really open it. */
export interface DeviceStatus {
  device: string
  available: boolean
  /** Why not. */
  reason?: string
}

/**
 * The machine as millrace sees it: cores allowed and why, memory limits, the addon's version.
 *
 * @throws MillraceError RUNTIME_NOT_FOUND or RUNTIME_INCOMPATIBLE when the addon does not load here.
 */
export function systemInfo(): SystemInfo {
  const { addon, path } = loadAddon()
  const { glibc } = thisMachine()
  return {
    ...addon.systemInfo(),
    addonPath: path,
    node: process.versions.node,
    ...(glibc !== undefined && { glibc }),
  }
}

/**
 * Loads ONNX Runtime if need be and says which library it is.
 *
 * @throws MillraceError RUNTIME_NOT_FOUND or RUNTIME_INCOMPATIBLE.
 */
export async function runtimeInfo(): Promise<RuntimeInfo> {
  return (await loadRuntime()).runtime
}

/** The devices, each one probed. Rejects as {@link runtimeInfo} does. */
export async function devices(): Promise<DeviceStatus[]> {
  return (await loadRuntime()).addon.devices()
}
