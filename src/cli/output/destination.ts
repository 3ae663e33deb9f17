/**
 * Where bytes go: a file that appears only when it is whole, or a stream. It knows nothing of formats.
 */

import { createReadStream, createWriteStream, rmSync } from 'node:fs'
import { type FileHandle, mkdtemp, open, realpath, rm, rmdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { moveInto, syncFile } from '../../base/durable.js'
import { codeOf, isError } from '../../base/foreign.js'

/** The name that means standard output. */
export const STDOUT = '-'

/** Bytes in order, then `commit` or `discard`, once. Each write resolves when the next may come. */
export interface Destination {
  write(bytes: Uint8Array | string): Promise<void>
  /** Overwrites the very beginning. Only where it was asked for when opening. */
  writeStart(bytes: Uint8Array): Promise<void>
  /** Everything was written: the output becomes visible. */
  commit(): Promise<void>
  /** Nothing is left behind. After `commit` it does nothing. */
  discard(): Promise<void>
}

/** Opens an output. `rewindable`: `writeStart` will be called. Rejects with the system's error. */
export async function openDestination(path: string, rewindable: boolean): Promise<Destination> {
  const target = path === STDOUT ? undefined : await resolveTarget(path)
  if (target?.kind === 'file') return TempFile.open(target.path)
  // A device or pipe must be written to; a rename would replace it.
  const stream = () =>
    new StreamDestination(target === undefined ? process.stdout : createWriteStream(target.path))
  return rewindable ? Spool.open(stream) : stream()
}

/** What a path stands for. Rejects with EISDIR for a folder. */
export async function resolveTarget(path: string): Promise<{ kind: 'file' | 'device'; path: string }> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) {
      throw Object.assign(new Error(`cannot write ${path}: it is a directory`), {
        code: 'EISDIR',
        syscall: 'open',
      })
    }
    // A link stays a link: the file behind it is replaced.
    return { kind: found.isFile() ? 'file' : 'device', path: await realpath(path) }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { kind: 'file', path }
    throw error
  }
}

/** A file beside the target, renamed to it in the end, so that a failed run leaves nothing that looks whole. */
export class TempFile implements Destination {
  readonly path: string
  readonly #target: string
  readonly #file: FileHandle
  #position = 0
  #over = false

  private constructor(path: string, target: string, file: FileHandle) {
    this.path = path
    this.#target = target
    this.#file = file
    process.once('exit', this.#onExit)
  }

  static async open(target: string): Promise<TempFile> {
    const path = `${target}.${process.pid}.partial`
    try {
      return new TempFile(path, target, await open(path, 'w'))
    } catch (error) {
      // The message would name a file that nobody asked for.
      if (isError(error)) error.message = error.message.replace(path, target)
      throw error
    }
  }

  async write(bytes: Uint8Array | string): Promise<void> {
    const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    await this.#writeAt(data, this.#position)
    this.#position += data.length
  }

  writeStart(bytes: Uint8Array): Promise<void> {
    return this.#writeAt(bytes, 0)
  }

  async commit(): Promise<void> {
    await syncFile(this.#file)
    await this.#file.close()
    await moveInto(this.path, this.#target)
    this.#end()
  }

  async discard(): Promise<void> {
    if (this.#over) return
    this.#end()
    await this.#file.close().catch(() => {}) // closed before, if `commit` failed behind that
    await rm(this.path, { force: true })
  }

  async #writeAt(data: Uint8Array, position: number): Promise<void> {
    for (let from = 0; from < data.length; ) {
      const { bytesWritten } = await this.#file.write(data, from, data.length - from, position + from)
      from += bytesWritten
    }
  }

  #end(): void {
    this.#over = true
    process.off('exit', this.#onExit)
  }

  /** The last resort, when the process ends without `discard`: a second interrupt. */
  readonly #onExit = () => rmSync(this.path, { force: true })
}

/** Standard output, a pipe or a device. */
class StreamDestination implements Destination {
  readonly #stream: NodeJS.WritableStream
  #failure: Error | undefined

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream
    stream.on('error', (error: Error) => {
      this.#failure ??= error
    })
  }

  write(bytes: Uint8Array | string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure)
      else this.#stream.write(bytes, (error) => (error ? reject(error) : resolve()))
    })
  }

  writeStart(): Promise<void> {
    throw new Error('a stream has no way back')
  }

  async commit(): Promise<void> {
    if (this.#stream === process.stdout) return
    await new Promise<void>((resolve, reject) => {
      this.#stream.once('error', reject)
      this.#stream.end(() => resolve())
    })
  }

  async discard(): Promise<void> {}
}

/** A temporary file whose content goes to a stream in the end. */
class Spool implements Destination {
  readonly #file: TempFile
  readonly #path: string
  readonly #sink: () => StreamDestination

  private constructor(file: TempFile, path: string, sink: () => StreamDestination) {
    this.#file = file
    this.#path = path
    this.#sink = sink
  }

  static async open(sink: () => StreamDestination): Promise<Spool> {
    const path = join(await mkdtemp(join(tmpdir(), 'millrace-')), 'output')
    return new Spool(await TempFile.open(path), path, sink)
  }

  write(bytes: Uint8Array | string): Promise<void> {
    return this.#file.write(bytes)
  }

  writeStart(bytes: Uint8Array): Promise<void> {
    return this.#file.writeStart(bytes)
  }

  async commit(): Promise<void> {
    await this.#file.commit()
    try {
      const sink = this.#sink()
      await pipeline(createReadStream(this.#path), async (chunks) => {
        for await (const chunk of chunks) await sink.write(chunk as Buffer)
      })
      await sink.commit()
    } finally {
      await rm(dirname(this.#path), { recursive: true, force: true })
    }
  }

  async discard(): Promise<void> {
    await this.#file.discard()
    await rmdir(dirname(this.#path)).catch(() => {}) // `commit` removed it
  }
}
