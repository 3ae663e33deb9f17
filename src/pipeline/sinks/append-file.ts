/** A file that is only added to and goes back to where it was at a commit: what file sinks and dead letters are made of. */

import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncDirectory, systemCode } from '../../base/durable.js'
import { MillraceError } from '../../base/errors.js'

/** Bytes that are gathered before they are written: few writes, little to hold. */
const BUFFER_BYTES = 1024 * 1024

/** What happens to a file that is there and not known to be ours. */
export type ExistingFile = 'refuse' | 'overwrite'

/** An open file. */
export class AppendFile {
  readonly #file: FileHandle
  #pending: Buffer[] = []
  #pendingBytes = 0
  #length: number

  private constructor(file: FileHandle, length: number) {
    this.#file = file
    this.#length = length
  }

  /**
   * Opens the file and cuts it to `length`; without a length it must be new or empty, unless it may be overwritten.
   *
   * @throws MillraceError SINK_FAILED where it is not, or is shorter than `length`; the system's error.
   */
  static async open(
    path: string,
    length: number | undefined,
    existing: ExistingFile = 'refuse',
  ): Promise<AppendFile> {
    await mkdir(dirname(path), { recursive: true })
    let file: FileHandle
    try {
      file = await open(path, 'r+')
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
      file = await open(path, 'w+')
      await syncDirectory(dirname(path))
    }
    try {
      const { size } = await file.stat()
      if (length === undefined && size > 0 && existing === 'refuse') {
        throw new MillraceError(
          'SINK_FAILED',
          `${path} is there already, and no journal says what it holds: choose another file, or let it be overwritten`,
        )
      }
      if (length !== undefined && size < length) {
        throw new MillraceError(
          'SINK_FAILED',
          `${path} has ${size} bytes where its journal knows of ${length}: it was changed`,
        )
      }
      await file.truncate(length ?? 0)
      return new AppendFile(file, length ?? 0)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Bytes, those that wait to be written included. */
  get length(): number {
    return this.#length + this.#pendingBytes
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
  async sync(): Promise<number> {
    await this.#flush()
    await this.#file.datasync()
    return this.#length
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

/** A write may be cut short. */
async function writeAll(file: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < data.length; ) {
    const { bytesWritten } = await file.write(data, at, data.length - at, position + at)
    at += bytesWritten
  }
}
