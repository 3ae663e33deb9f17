/** Checks of ONNX Runtime and the devices it can really open. */

import { devices, runtimeInfo } from '../../../index.js'
import { type Check, failed } from './check.js'

/** The library, then one line a device. Without a library there are no devices to tell of. */
export async function runtimeChecks(): Promise<Check[]> {
  try {
    const { name, version, path } = await runtimeInfo()
    const library: Check = { name: 'runtime', status: 'ok', detail: `${name} ${version}, ${path}` }
    return [{ ...library, data: { name, version, path } }, ...(await deviceChecks())]
  } catch (error) {
    return [failed('runtime', error)]
  }
}

async function deviceChecks(): Promise<Check[]> {
  const found = await devices()
  return found.map(({ device, available, reason }) => ({
    name: `device ${device}`,
    // Only the CPU is expected to be there; other devices are a choice.
    status: available || device !== 'cpu' ? 'ok' : 'fail',
    detail: available ? 'available' : `not available${reason === undefined ? '' : `: ${reason}`}`,
    data: { device, available, ...(reason !== undefined && { reason }) },
  }))
}
