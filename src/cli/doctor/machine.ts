/** Checks of the machine: Node, platform, processor, cores, memory. They work without the addon too, knowing less. */

import { availableParallelism, cpus, totalmem } from 'node:os'
import { type SystemInfo, systemInfo } from '../../../index.js'
import { bytes } from '../terminal.js'
import { packageVersion } from '../version.cjs'
import { type Check, failed } from './check.js'

/** The oldest Node that is tested; `engines` of the package says the same. */
const OLDEST_NODE = [20, 17] as const

/** The bundled model, its runs and Node fit in about this much. */
const LITTLE_MEMORY = 512 * 1024 * 1024

/** All of them, and the addon's own. */
export function machineChecks(): Check[] {
  let system: SystemInfo | undefined
  let addon: Check
  try {
    system = systemInfo()
    addon = { name: 'addon', status: 'ok', detail: `${system.version}, ${system.addonPath}` }
  } catch (error) {
    addon = failed('addon', error)
  }
  return [versions(), platform(system), processor(system), cores(system), memory(system), addon]
}

function versions(): Check {
  const node = process.versions.node
  const [major = 0, minor = 0] = node.split('.').map(Number)
  const [oldMajor, oldMinor] = OLDEST_NODE
  const old = major < oldMajor || (major === oldMajor && minor < oldMinor)
  const detail = `millrace ${packageVersion()}, Node ${node}`
  const data = { millrace: packageVersion(), node }
  if (!old) return { name: 'versions', status: 'ok', detail, data }
  return {
    name: 'versions',
    status: 'warn',
    detail,
    remedy: `use Node ${OLDEST_NODE.join('.')} or newer`,
    data,
  }
}

function platform(system: SystemInfo | undefined): Check {
  const glibc = system?.glibc === undefined ? '' : `, glibc ${system.glibc}`
  return { name: 'platform', status: 'ok', detail: `${process.platform} ${process.arch}${glibc}` }
}

function processor(system: SystemInfo | undefined): Check {
  const model = system?.cpuModel || cpus()[0]?.model || 'unknown'
  const features = system?.cpuFeatures ?? []
  const detail = features.length > 0 ? `${model} (${features.join(' ')})` : model
  const data = { model, features }
  if (system !== undefined && process.arch === 'x64' && !features.includes('avx2')) {
    return {
      name: 'processor',
      status: 'warn',
      detail,
      remedy: 'without AVX2 every model is several times slower',
      data,
    }
  }
  return { name: 'processor', status: 'ok', detail, data }
}

function cores(system: SystemInfo | undefined): Check {
  if (system === undefined) {
    return {
      name: 'cores',
      status: 'ok',
      detail: `${availableParallelism()} (limits unknown without the addon)`,
    }
  }
  const { coresAllowed, coresOnline, coresReason } = system
  const detail = `${coresAllowed} of ${coresOnline} allowed (${coresReason})`
  return { name: 'cores', status: 'ok', detail, data: { coresAllowed, coresOnline, coresReason } }
}

function memory(system: SystemInfo | undefined): Check {
  const total = system?.memoryTotal ?? totalmem()
  const limit = system?.memoryLimit
  const detail =
    limit === undefined ? `${bytes(total)}, no limit` : `${bytes(limit)} allowed of ${bytes(total)}`
  const data = { total, ...(limit !== undefined && { limit }) }
  if (Math.min(total, limit ?? total) >= LITTLE_MEMORY) return { name: 'memory', status: 'ok', detail, data }
  return { name: 'memory', status: 'warn', detail, remedy: `give it ${bytes(LITTLE_MEMORY)} or more`, data }
}
