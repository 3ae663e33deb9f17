/**
 * A file that is only added to and goes back to where it was at a commit: what file sinks and dead letters are made of. Looking comes before
 * touching: `AppendFile.check` finds out whether the file may be written and changes nothing, `begin` makes or cuts it.
 */

import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { isMissing, syncData, syncDirectory } from '../../base/durable.js'
import { isRecord } from '../../base/is.js'
import type { JsonValue } from '../document.js'
import { hasChanged, holdsUnknown, isGone } from '../refusal.js'

/** Bytes that are gathered before they are written: few writes, little to hold. */
const BUFFER_BYTES = 1024 * 1024

/** Bytes at the end of a file by which it is known again: more than a record's, less than a page of a disk to read. */
const TAIL_BYTES = 4096

/** Where a file stood at a commit. */
export interface FileCheckpoint {
  bytes: number
  /** CRC-32 of what came last; absent in checkpoints of earlier versions. */
  tail?: number
}

/** How a file is checked. */
export interface CheckOptions {
  /** Whether a file that is there, and that no journal knows, may be begun anew. */
  overwrite: boolean
  /** Bytes at the beginning that are written over at every commit, and so are not what they were. */
  header?: number
}

/** The checkpoint of a file in JSON, if it is one. */
export function fileCheckpointOf(value: JsonValue | undefined): FileCheckpoint | undefined {
  if (!isRecord(value) || typeof value['bytes'] !== 'number') return undefined
  const { bytes, tail } = value
  return { bytes, ...(typeof tail === 'number' && { tail }) }
}

/** A file that may be written. */
export class CheckedFile {
  readonly #path: string
  readonly #length: number
  readonly #header: number

  constructor(path: string, length: number, header: number) {
    this.#path = path
    this.#length = length
    this.#header = header
  }

  /** Makes the file, or cuts it to the checkpoint. */
  async begin(): Promise<AppendFile> {
    await mkdir(dirname(this.#path), { recursive: true })
    let file: FileHandle
    try {
      file = await open(this.#path, 'r+')
    } catch (error) {
      if (!isMissing(error)) throw error
      file = await open(this.#path, 'w+')
      await syncDirectory(dirname(this.#path))
    }
    try {
      await file.truncate(this.#length)
      return new AppendFile(file, this.#length, this.#header)
    } catch (error) {
      await file.close()
      throw error
    }
  }
}

/** An open file. */
export class AppendFile {
  readonly #file: FileHandle
  readonly #header: number
  #pending: Buffer[] = []
  #pendingBytes = 0
  #length: number

  constructor(file: FileHandle, length: number, header: number) {
    this.#file = file
    this.#length = length
    this.#header = header
  }

  /**
   * Looks at the file; without a checkpoint it must be new or empty, unless it may be overwritten.
   *
   * @throws StoreRefusal SINK_FAILED where it is not, or is not what the checkpoint says; the system's error.
   */
  static async check(
    path: string,
    checkpoint: FileCheckpoint | undefined,
    { overwrite, header = 0 }: CheckOptions,
  ): Promise<CheckedFile> {
    let file: FileHandle
    try {
      file = await open(path, 'r')
    } catch (error) {
      if (!isMissing(error)) throw error
      if (checkpoint !== undefined) throw isGone(path)
      return new CheckedFile(path, 0, header)
    }
    try {
      const { size } = await file.stat()
      if (checkpoint === undefined) {
        if (size > 0 && !overwrite) throw holdsUnknown(path)
        return new CheckedFile(path, 0, header)
      }
      const { bytes, tail } = checkpoint
      if (size < bytes) throw hasChanged(path, `it has ${size} bytes, and the last run left ${bytes}`)
      if (tail !== undefined && (await tailOf(file, bytes, header)) !== tail) {
        throw hasChanged(path, `its first ${bytes} bytes do not end as the last run left them`)
      }
      return new CheckedFile(path, bytes, header)
    } finally {
      await file.close()
    }
  }

  async append(data: string | Uint8Array): Promise<void> {
    const bytes =
      typeof data === 'string'
        ? Buffer.from(data)
        : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
    if (this.#pendingBytes >= BUFFER_BYTES) await this.#flush()
  }

  /** Writes over what is there, in the part that is written already. */
  async rewrite(data: Uint8Array, position: number): Promise<void> {
    await this.#flush()
    await writeAll(this.#file, data, position)
  }

  /** What was appended is on the disk when this resolves. */
  async sync(): Promise<FileCheckpoint> {
    await this.#flush()
    await syncData(this.#file)
    return { bytes: this.#length, tail: await tailOf(this.#file, this.#length, this.#header) }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #flush(): Promise<void> {
    if (this.#pendingBytes === 0) return
    const bytes = this.#pending.length === 1 ? (this.#pending[0] as Buffer) : Buffer.concat(this.#pending)
    this.#pending = []
    this.#pendingBytes = 0
    await writeAll(this.#file, bytes, this.#length)
    this.#length += bytes.length
  }
}

/** The checksum of what lies before `end`, without the header. */
async function tailOf(file: FileHandle, end: number, header: number): Promise<number> {
  const from = Math.max(header, end - TAIL_BYTES)
  const bytes = Buffer.alloc(Math.max(0, end - from))
  let at = 0
  while (at < bytes.length) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, from + at)
    if (bytesRead === 0) break
    at += bytesRead
  }
  return crc32(bytes.subarray(0, at))
}

/** A write may be cut short. */
async function writeAll(file: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < data.length; ) {
    const { bytesWritten } = await file.write(data, at, data.length - at, position + at)
    at += bytesWritten
  }
}
