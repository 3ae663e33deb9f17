/** Facts about built libraries, read with binutils: what they need, and from which glibc on they load. */
import { statSync } from 'node:fs'
import { atLeast } from './requirements.mjs'
import { outputOf, SetupError } from './run.mjs'

function readelf(option, file) {
  const output = outputOf(['readelf', '--wide', option, file], { env: { LC_ALL: 'C' } })
  if (output === undefined) throw new SetupError(`readelf ${option} ${file} failed`, 'install binutils')
  return output
}

/** `{ needed, soname, glibc, bytes }` of an ELF library; `glibc` is the newest symbol version it asks for. */
export function describeElf(file) {
  const dynamic = readelf('--dynamic', file)
  const versions = [...readelf('--version-info', file).matchAll(/GLIBC_(\d+(?:\.\d+)+)/g)].map(([, v]) => v)
  return {
    needed: [...dynamic.matchAll(/\(NEEDED\).*\[(.+?)\]/g)].map(([, name]) => name),
    soname: /\(SONAME\).*\[(.+?)\]/.exec(dynamic)?.[1],
    glibc: versions.reduce((newest, version) => (atLeast(version, newest) ? version : newest), '0'),
    bytes: statSync(file).size,
  }
}
