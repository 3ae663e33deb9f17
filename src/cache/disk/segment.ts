/** One log file: appended to by any process, read by all, deleted whole. Which logs there are is decided in `disk.ts`. */

import { constants } from 'node:fs'
import { type FileHandle, open, readFile, rm } from 'node:fs/promises'
import { syncData, writeWhole } from '../../base/durable.js'
import type { CacheEntry } from '../../options/cache.js'
import { KeyTable } from './key-table.js'
import { encodeRecords, keyHead, scan, valueIn } from './record.js'

/** What is read of a log at a time when its records are looked for. */
const SCAN_BYTES = 1024 * 1024

/** Records this near to each other are read together: a read costs what copying about as many bytes does. */
const GAP_BYTES = 32 * 1024
/** Most bytes of one read. */
const READ_BYTES = 1024 * 1024

interface Wanted {
  key: string
  place: number
  offset: number
  length: number
}

/** A log under way. */
export class Segment {
  readonly id: number
  readonly #path: string
  readonly #handle: FileHandle
  #table = new KeyTable()
  /** How far its records are known. */
  #known = 0
  #size = 0
  #sealed = false
  /** Reads under way: the file must not be closed under them. */
  #uses = 0
  #closing = false
  #scanning: Promise<void> | undefined

  private constructor(id: number, path: string, handle: FileHandle) {
    this.id = id
    this.#path = path
    this.#handle = handle
  }

  /** Opens a log that is there; its records are known afterwards. */
  static async open(id: number, path: string): Promise<Segment> {
    return Segment.#load(id, path, await open(path, constants.O_RDWR | constants.O_APPEND))
  }

  /** Opens a log that may have to be made. */
  static async make(id: number, path: string): Promise<Segment> {
    return Segment.#load(id, path, await open(path, 'a+'))
  }

  static async #load(id: number, path: string, handle: FileHandle): Promise<Segment> {
    const segment = new Segment(id, path, handle)
    try {
      await segment.#loadTable()
      await segment.refresh()
    } catch (error) {
      await segment.close()
      throw error
    }
    return segment
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#size
  }

  /** Whether it holds a record that may be the key's. */
  place(high: number, low: number): { offset: number; length: number } | undefined {
    return this.#table.get(high, low)
  }

  /** The record of a key is no good. */
  forget(key: string): void {
    const { high, low } = keyHead(key)
    this.#table.delete(high, low)
  }

  /** Takes note of what other processes appended. */
  refresh(): Promise<void> {
    this.#scanning ??= this.#use(() => this.#scan()).finally(() => {
      this.#scanning = undefined
    })
    return this.#scanning
  }

  /** Appends entries in one piece. */
  async append(entries: readonly CacheEntry[]): Promise<void> {
    const { bytes, starts } = encodeRecords(entries)
    const alone = await this.#use(async () => {
      for (let written = 0; written < bytes.length; ) {
        written += (await this.#handle.write(bytes, written, bytes.length - written)).bytesWritten
      }
      await this.#scanning
      const { size } = await this.#handle.stat()
      if (size !== this.#known + bytes.length) return false
      for (const [i, [key]] of entries.entries()) {
        const from = starts[i] ?? 0
        const length = (starts[i + 1] ?? bytes.length) - from
        this.#table.set({ ...keyHead(key), offset: this.#known + from, length })
      }
      this.#known = size
      this.#size = size
      return true
    })
    // Somebody else appended too: where our records lie must be looked for.
    if (!alone) await this.refresh()
  }

  /** Reads records and calls back with the values that are there. */
  async read(wanted: Wanted[], found: (place: number, value: Buffer) => void): Promise<void> {
    wanted.sort((a, b) => a.offset - b.offset)
    const reads: Promise<void>[] = []
    for (let from = 0; from < wanted.length; ) {
      const start = wanted[from]?.offset ?? 0
      let to = from
      let end = start
      for (let next = wanted[to]; next !== undefined; next = wanted[to]) {
        const far = next.offset > end + GAP_BYTES || next.offset + next.length > start + READ_BYTES
        if (to > from && far) break
        end = Math.max(end, next.offset + next.length)
        to++
      }
      reads.push(this.#readSpan(wanted.slice(from, to), start, end, found))
      from = to
    }
    await Promise.all(reads)
  }

  /** Writes down where its records lie, so that nobody must look for them again. */
  async seal(): Promise<void> {
    if (this.#sealed) return
    this.#sealed = true
    await writeWhole(this.#indexPath(), this.#table.save(this.#known))
  }

  async sync(): Promise<void> {
    await this.#use(() => syncData(this.#handle))
  }

  /** Deletes it. Processes that read it may go on. */
  async remove(): Promise<void> {
    await rm(this.#path, { force: true })
    await rm(this.#indexPath(), { force: true })
    await this.close()
  }

  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    if (this.#uses === 0) await this.#handle.close()
  }

  #indexPath(): string {
    return this.#path.replace(/\.log$/, '.index')
  }

  async #readSpan(
    wanted: readonly Wanted[],
    start: number,
    end: number,
    found: (place: number, value: Buffer) => void,
  ): Promise<void> {
    const bytes = Buffer.allocUnsafeSlow(end - start)
    const { bytesRead } = await this.#use(() => this.#handle.read(bytes, 0, bytes.length, start))
    for (const { key, place, offset, length } of wanted) {
      const value = valueIn(bytes.subarray(offset - start, Math.min(offset - start + length, bytesRead)), key)
      if (value !== undefined) found(place, value)
    }
  }

  async #loadTable(): Promise<void> {
    const saved = await readFile(this.#indexPath()).then(KeyTable.load, () => undefined)
    if (saved === undefined || saved.end > (await this.#handle.stat()).size) return
    this.#table = saved.table
    this.#known = saved.end
    this.#sealed = true
  }

  async #scan(): Promise<void> {
    const { size } = await this.#handle.stat()
    this.#size = size
    while (this.#known < size) {
      const from = this.#known // an append may move it meanwhile
      const bytes = Buffer.allocUnsafeSlow(Math.min(SCAN_BYTES, size - from))
      const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, from)
      const next = scan(bytes.subarray(0, bytesRead), from, size, (found) => this.#table.set(found))
      if (next === from) break // a record that is not whole yet
      this.#known = next
    }
  }

  async #use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new Error('the log is closed')
    this.#uses++
    try {
      return await work()
    } finally {
      this.#uses--
      if (this.#closing && this.#uses === 0) await this.#handle.close()
    }
  }
}
