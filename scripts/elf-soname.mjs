/**
 * Gives an ELF64 shared library another SONAME, in place, without patchelf.
 *
 * The dynamic linker knows loaded libraries by SONAME. Two different ONNX Runtimes that both call themselves
 * `libonnxruntime.so.1` cannot live in one process: the second one is answered with the first. So our copy carries
 * a name of its own. The new name overwrites the old one in the string table, hence it must not be longer; every
 * other user of those bytes is checked first. This is no general ELF editor: 64 bit, little-endian, names only.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { complain, print } from './lib/print.mjs'

// Numbers of the ELF specification (gABI chapters 4 and 5, and the GNU extensions of glibc's elf.h).
const PT_LOAD = 1
const PT_DYNAMIC = 2
const DT = {
  NULL: 0,
  NEEDED: 1,
  HASH: 4,
  STRTAB: 5,
  SYMTAB: 6,
  STRSZ: 10,
  SONAME: 14,
  RPATH: 15,
  RUNPATH: 29,
  GNU_HASH: 0x6ffffef5,
  VERDEF: 0x6ffffffc,
  VERDEFNUM: 0x6ffffffd,
  VERNEED: 0x6ffffffe,
  VERNEEDNUM: 0x6fffffff,
}
const SYMBOL_SIZE = 24

/** The System V hash, which version definitions store beside their names. */
export function elfHash(name) {
  let hash = 0
  for (const byte of Buffer.from(name, 'utf8')) {
    hash = ((hash << 4) + byte) >>> 0
    const high = hash & 0xf0000000
    if (high !== 0) hash ^= high >>> 24
    hash = (hash & ~high) >>> 0
  }
  return hash
}

/** A library's dynamic section: file offsets and the few tables that hold names. Throws on anything else than ELF64 LE. */
class ElfFile {
  constructor(bytes) {
    if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46) throw new Error('not an ELF file')
    if (bytes[4] !== 2 || bytes[5] !== 1) throw new Error('not a 64-bit little-endian ELF file')
    this.bytes = bytes
    this.segments = []
    const start = this.#number(32)
    const size = bytes.readUInt16LE(54)
    const count = bytes.readUInt16LE(56)
    for (let i = 0; i < count; i++) {
      const at = start + i * size
      this.segments.push({
        type: bytes.readUInt32LE(at),
        offset: this.#number(at + 8),
        address: this.#number(at + 16),
        size: this.#number(at + 32),
      })
    }
    this.entries = this.#readDynamic()
    this.strings = this.offsetOf(this.value(DT.STRTAB))
    this.stringsSize = this.value(DT.STRSZ)
  }

  #number(at) {
    const value = Number(this.bytes.readBigUInt64LE(at))
    if (!Number.isSafeInteger(value)) throw new Error(`ELF field at ${at} is out of range`)
    return value
  }

  #readDynamic() {
    const dynamic = this.segments.find((segment) => segment.type === PT_DYNAMIC)
    if (dynamic === undefined) throw new Error('no dynamic section: not a shared library')
    const entries = []
    for (let at = dynamic.offset; at + 16 <= dynamic.offset + dynamic.size; at += 16) {
      // Tags above 2^32 do not occur; values may be flags of full width, which nothing here reads.
      const tag = Number(this.bytes.readBigUInt64LE(at))
      if (tag === DT.NULL) break
      entries.push({ tag, at: at + 8, value: Number(this.bytes.readBigUInt64LE(at + 8)) })
    }
    return entries
  }

  /** File offset of a virtual address. */
  offsetOf(address) {
    const segment = this.segments.find(
      (s) => s.type === PT_LOAD && address >= s.address && address < s.address + s.size,
    )
    if (segment === undefined) throw new Error(`address ${address} is in no loaded segment`)
    return address - segment.address + segment.offset
  }

  find(tag) {
    return this.entries.find((entry) => entry.tag === tag)
  }

  value(tag) {
    const entry = this.find(tag)
    if (entry === undefined) throw new Error(`the dynamic section has no entry ${tag}`)
    return entry.value
  }

  string(index) {
    const start = this.strings + index
    const end = this.bytes.indexOf(0, start)
    if (index >= this.stringsSize || end < 0) throw new Error(`string ${index} is outside the table`)
    return this.bytes.toString('utf8', start, end)
  }

  /** How many dynamic symbols there are; the symbol table itself does not say. */
  symbolCount() {
    const hash = this.find(DT.HASH)
    if (hash !== undefined) return this.bytes.readUInt32LE(this.offsetOf(hash.value) + 4)
    const at = this.offsetOf(this.value(DT.GNU_HASH))
    const buckets = this.bytes.readUInt32LE(at)
    const first = this.bytes.readUInt32LE(at + 4)
    const bucketsAt = at + 16 + this.bytes.readUInt32LE(at + 8) * 8
    let last = 0
    for (let i = 0; i < buckets; i++) last = Math.max(last, this.bytes.readUInt32LE(bucketsAt + i * 4))
    if (last < first) return first
    const chainsAt = bucketsAt + buckets * 4
    while ((this.bytes.readUInt32LE(chainsAt + (last - first) * 4) & 1) === 0) last++
    return last + 1
  }

  /** The linked records of version definitions: `{ at, nameAt, name }`, only the first name of each (its own). */
  versionDefinitions() {
    const table = this.find(DT.VERDEF)
    if (table === undefined) return []
    const records = []
    let at = this.offsetOf(table.value)
    for (let i = 0; i < this.value(DT.VERDEFNUM); i++) {
      const nameAt = at + this.bytes.readUInt32LE(at + 12)
      records.push({ at, name: this.bytes.readUInt32LE(nameAt) })
      at += this.bytes.readUInt32LE(at + 16)
    }
    return records
  }

  /** String indices used by version requirements. */
  versionNeeds() {
    const table = this.find(DT.VERNEED)
    if (table === undefined) return []
    const names = []
    let at = this.offsetOf(table.value)
    for (let i = 0; i < this.value(DT.VERNEEDNUM); i++) {
      names.push(this.bytes.readUInt32LE(at + 4))
      let aux = at + this.bytes.readUInt32LE(at + 8)
      for (let j = 0; j < this.bytes.readUInt16LE(at + 2); j++) {
        names.push(this.bytes.readUInt32LE(aux + 8))
        aux += this.bytes.readUInt32LE(aux + 12)
      }
      at += this.bytes.readUInt32LE(at + 12)
    }
    return names
  }

  /** String indices of everything that must keep its name: needed libraries, run paths, symbols, required versions. */
  namesToKeep() {
    const names = this.versionNeeds()
    for (const { tag, value } of this.entries) {
      if (tag === DT.NEEDED || tag === DT.RPATH || tag === DT.RUNPATH) names.push(value)
    }
    const symbols = this.offsetOf(this.value(DT.SYMTAB))
    for (let i = 0; i < this.symbolCount(); i++)
      names.push(this.bytes.readUInt32LE(symbols + i * SYMBOL_SIZE))
    return names.filter((index) => index !== 0)
  }
}

/** The SONAME in a library's bytes. */
export function readSoname(bytes) {
  const elf = new ElfFile(bytes)
  return elf.string(elf.value(DT.SONAME))
}

/**
 * Returns a copy of `bytes` whose SONAME is `name`. Throws when the name is too long or when another name shares the
 * bytes to be overwritten.
 */
export function withSoname(bytes, name) {
  const copy = Buffer.from(bytes)
  const elf = new ElfFile(copy)
  const index = elf.value(DT.SONAME)
  const old = elf.string(index)
  if (Buffer.byteLength(name) > Buffer.byteLength(old)) {
    throw new Error(`SONAME ${name} is longer than ${old}, whose place it takes`)
  }
  if (name === '' || name.includes('\0')) throw new Error('an empty SONAME or one with a zero byte')

  // The linker may let a string be the tail of a longer one. Nothing may start before the end of ours and reach into it.
  const end = index + Buffer.byteLength(old)
  const shared = (start) => start <= end && start + Buffer.byteLength(elf.string(start)) >= index
  for (const start of elf.namesToKeep()) {
    if (shared(start)) throw new Error(`${elf.string(start)} shares its bytes with the SONAME`)
  }
  const definitions = elf.versionDefinitions()
  for (const definition of definitions) {
    // The base definition repeats the SONAME; it moves along, with its hash.
    if (definition.name !== index && shared(definition.name)) {
      throw new Error(`version ${elf.string(definition.name)} shares its bytes with the SONAME`)
    }
  }

  copy.fill(0, elf.strings + index, elf.strings + end)
  copy.write(name, elf.strings + index, 'utf8')
  for (const definition of definitions) {
    if (definition.name === index) copy.writeUInt32LE(elfHash(name), definition.at + 8)
  }
  return copy
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [, , file, name] = process.argv
  if (file === undefined) {
    complain('usage: node scripts/elf-soname.mjs LIBRARY [NEW_SONAME]')
    process.exit(2)
  }
  const bytes = readFileSync(file)
  if (name !== undefined) writeFileSync(file, withSoname(bytes, name))
  print(readSoname(readFileSync(file)))
}
