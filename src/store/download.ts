/**
 * One file from the hub into a blob: resumed where an earlier attempt, or an earlier process, stopped; its size and hash
 * checked; renamed into place only then. The caller holds the repository's lock.
 */

import { mkdir, open, rm, stat, statfs } from 'node:fs/promises'
import { isMissing, moveInto, syncFile } from '../base/durable.js'
import { MillraceError } from '../base/errors.js'
import { digestKind, digestOf } from './digest.js'
import type { Hub, HubAnswer, HubFile } from './hub.js'
import type { RepoLayout } from './layout.js'
import { type Verified, verifiedNow } from './record.js'
import { HubFailure, type NetworkTiming, withRetries } from './retry.js'

/** What is downloaded, and how. */
export interface DownloadJob {
  hub: Hub
  layout: RepoLayout
  commit: string
  file: string
  signal: AbortSignal
  timing: NetworkTiming
  /** Called with each piece. */
  onBytes: (receivedBytes: number, totalBytes: number | undefined) => void
}

/** Wrong content once may be a bad line; twice it is what the server has. */
const MOST_MISMATCHES = 2

/** Left free for everybody else. */
const SPARE_BYTES = 16 << 20

/** Downloads the file if its blob is not there yet, and says what the blob is. Throws {@link HubFailure} when it fails. */
export function downloadBlob(job: DownloadJob): Promise<Verified> {
  const download = new Download(job)
  return withRetries(
    () => download.attempt(),
    job.timing,
    job.signal,
    () => download.best,
  )
}

class Download {
  /** Most bytes that any attempt had. */
  best = 0
  readonly #job: DownloadJob
  #known: HubFile | undefined
  /** Whether the blob was looked for. */
  #looked = false
  #mismatches = 0
  /** Strong ETags of answers, by whom they came from: they make a resumed answer conditional. */
  readonly #validators = new Map<string, string>()

  constructor(job: DownloadJob) {
    this.#job = job
  }

  async attempt(): Promise<Verified> {
    const { hub, layout, commit, file, signal } = this.#job
    const first = this.#known === undefined
    let ranged = false
    const answer = await hub
      .open('GET', { repo: layout.repo, revision: commit, file }, signal, async (url, known) => {
        // Also for an answer that refuses: what is known by then says which part it refuses to continue.
        this.#known = known ?? this.#known
        const range = await this.#range(url, this.#known)
        ranged = range['range'] !== undefined
        return range
      })
      .catch((error) => this.#refused(error))
    try {
      this.#known = answer.file
      const { etag, size } = answer.file
      const validator = answer.header('etag')
      if (validator?.startsWith('"')) this.#validators.set(answer.url.origin, validator)
      if (!this.#looked) {
        this.#looked = true
        const there = await this.#verify(layout.blob(etag), etag)
        if (there !== undefined) return there
      }
      const partial = this.#partial(etag)
      const have = await sizeOf(partial)
      // What ended the last process came after the last byte.
      if (have > 0 && have === size) return await this.#publish(partial, etag)
      if (first && !ranged && have > 0 && have < (size ?? Number.POSITIVE_INFINITY)) {
        // The content came before anything was known of it: ask again for what is missing.
        answer.discard()
        return await this.attempt()
      }
      await this.#receive(answer, partial, have)
      return await this.#publish(partial, etag)
    } finally {
      answer.discard()
    }
  }

  async #range(url: URL, known: HubFile | undefined): Promise<Record<string, string>> {
    if (known === undefined) return {}
    const have = await sizeOf(this.#partial(known.etag))
    if (have === 0 || have >= (known.size ?? Number.POSITIVE_INFINITY)) return {}
    const validator = this.#validators.get(url.origin)
    return { range: `bytes=${have}-`, ...(validator !== undefined && { 'if-range': validator }) }
  }

  #partial(etag: string): string {
    return this.#job.layout.partial(etag, this.#job.file)
  }

  /** A range that does not exist: what is there is of no use. */
  async #refused(error: unknown): Promise<never> {
    if (error instanceof HubFailure && error.status === 416 && this.#known !== undefined) {
      await rm(this.#partial(this.#known.etag), { force: true })
    }
    throw error
  }

  async #receive(answer: HubAnswer, partial: string, have: number): Promise<void> {
    const { size } = answer.file
    const offset = answer.status === 206 ? startOf(answer) : 0
    if (offset !== 0 && offset !== have) {
      await rm(partial, { force: true })
      throw new HubFailure(`${answer.url.host} continued at another byte than asked`, { retry: true })
    }
    await mkdir(this.#job.layout.blobs, { recursive: true })
    if (size !== undefined) await assertSpace(this.#job.layout.blobs, size - offset)
    // From the start means a new file: a process that lost its lock may still write to the old one.
    if (offset === 0) await rm(partial, { force: true })
    const received = await this.#write(answer, partial, offset)
    if (size !== undefined && received < size) {
      throw new HubFailure(`${answer.url.host} sent ${received} of ${size} bytes`, { retry: true })
    }
  }

  async #write(answer: HubAnswer, partial: string, offset: number): Promise<number> {
    const { onBytes } = this.#job
    const { size } = answer.file
    const file = await open(partial, offset === 0 ? 'wx' : 'r+')
    let received = offset
    try {
      onBytes(received, size)
      for await (const chunk of answer.chunks()) {
        if (size !== undefined && received + chunk.length > size) {
          await file.truncate(0)
          throw new HubFailure(`${answer.url.host} sent more than ${size} bytes`, { retry: true })
        }
        for (let done = 0; done < chunk.length; ) {
          done += (await file.write(chunk, done, chunk.length - done, received + done)).bytesWritten
        }
        received += chunk.length
        this.best = Math.max(this.best, received)
        onBytes(received, size)
      }
      await syncFile(file)
      return received
    } finally {
      await file.close()
    }
  }

  async #publish(partial: string, etag: string): Promise<Verified> {
    const { layout, signal, file } = this.#job
    const verified = await this.#verify(partial, etag)
    if (verified === undefined) {
      const size = await sizeOf(partial)
      await rm(partial, { force: true })
      throw new HubFailure(`the ${size} bytes that came for ${file} do not have the hash ${etag}`, {
        retry: ++this.#mismatches < MOST_MISMATCHES,
      })
    }
    // Whoever took the lock over may be writing to this name.
    signal.throwIfAborted()
    await moveInto(partial, layout.blob(etag))
    return verified
  }

  /** What the file is, when it is there and right. Without a hash in its name only its size can be checked. */
  async #verify(path: string, etag: string): Promise<Verified | undefined> {
    const stats = await stat(path, { bigint: true }).catch((error) => {
      if (isMissing(error)) return undefined
      throw error
    })
    if (stats === undefined) return undefined
    const size = Number(stats.size)
    if (this.#known?.size !== undefined && this.#known.size !== size) return undefined
    const kind = digestKind(etag)
    if (kind !== undefined && (await digestOf(path, kind, size, this.#job.signal)) !== etag) return undefined
    return verifiedNow(etag, stats)
  }
}

/** First byte of a `206` answer; -1 when it does not say. */
function startOf(answer: HubAnswer): number {
  return Number(/^bytes (\d+)-/.exec(answer.header('content-range') ?? '')?.[1] ?? -1)
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    (error) => {
      if (isMissing(error)) return 0
      throw error
    },
  )
}

/** Fails before a download that cannot end well, instead of filling the disk first. */
async function assertSpace(directory: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory)
  const free = bavail * bsize
  if (needed + SPARE_BYTES <= free) return
  throw new MillraceError(
    'DOWNLOAD_FAILED',
    `${needed} bytes do not fit on the disk of ${directory}, which has ${free} free; give another cacheDir`,
  )
}
