/**
 * Requests to a hub: redirects, proxies, tokens, silence, and what an answer's headers say of a file. It writes no file
 * and tries nothing twice. The HTTP library is loaded with the first request, so that a cached model never needs it.
 */

import type { Dispatcher } from 'undici'
import { Body } from './body.js'
import { blobName } from './digest.js'
import { type Environment, proxyOf } from './environment.js'
import { HubFailure, isPassing, type NetworkTiming, retryAfter } from './retry.js'
import { Watchdog } from './watchdog.js'

/** What the hub says of a file before its content comes. */
export interface HubFile {
  /** The commit that the revision stands for. */
  commit: string
  /** Name of its blob: a hash of the content, unless a mirror has its own ideas. */
  etag: string
  size?: number
}

/** A good answer; its body must be read or discarded. */
export interface HubAnswer {
  /** 200, 206, or of a `HEAD` a redirect's. */
  status: number
  /** Whom it came from, after redirects. */
  url: URL
  file: HubFile
  header(name: string): string | undefined
  /** The body. Fails with a {@link HubFailure}, also when it falls silent. */
  chunks(): AsyncIterable<Buffer>
  discard(): void
}

/** More headers of one request, by whom it goes to and what is known of the file by then. */
export type HeadersOf = (url: URL, file: HubFile | undefined) => Promise<Record<string, string>>

/** The hub needs one or two; a loop needs an end. */
const MOST_REDIRECTS = 10

/** Time for a connection, within the silence allowed. */
const CONNECT_MS = 10_000

export class Hub {
  readonly #endpoint: string
  readonly #token: string | undefined
  readonly #timing: NetworkTiming
  readonly #env: Environment
  readonly #dispatchers = new Map<string, Dispatcher>()
  /** Connections to proxies, which are asked for tunnels. */
  readonly #tunnels: Dispatcher[] = []

  constructor(
    endpoint: string,
    token: string | undefined,
    timing: NetworkTiming,
    env: Environment = process.env,
  ) {
    this.#endpoint = endpoint
    this.#token = token
    this.#timing = timing
    this.#env = env
  }

  /** Asks for a file of a revision. Throws {@link HubFailure}, or `signal.reason`. */
  async open(
    method: 'GET' | 'HEAD',
    { repo, revision, file }: { repo: string; revision: string; file: string },
    signal: AbortSignal,
    headersOf: HeadersOf = async () => ({}),
  ): Promise<HubAnswer> {
    const path = file.split('/').map(encodeURIComponent).join('/')
    let url = new URL(`${this.#endpoint}/${repo}/resolve/${encodeURIComponent(revision)}/${path}`)
    const home = url.origin
    let known: HubFile | undefined
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const watchdog = new Watchdog(this.#timing.stallMs, signal)
      const answer = await this.#send(method, url, await headersOf(url, known), home, watchdog)
      const header = (name: string) => headerOf(answer, name)
      known ??= fileOf(header, revision, answer.statusCode)
      const location = header('location')
      if (location !== undefined && answer.statusCode >= 300 && answer.statusCode < 400) {
        discard(answer, watchdog)
        // The hub has said all it knows; its content need not be asked for.
        if (method === 'HEAD' && known !== undefined) return answerOf(answer, url, known, watchdog)
        url = follow(url, location)
        continue
      }
      if (answer.statusCode === 200 || answer.statusCode === 206) {
        if (known !== undefined) return answerOf(answer, url, known, watchdog)
        discard(answer, watchdog)
        throw new HubFailure(`${url.host} answered without naming a commit and an ETag; it is no model hub`, {
          status: answer.statusCode,
          retry: false,
        })
      }
      discard(answer, watchdog)
      throw refusal(answer, url, home)
    }
    throw new HubFailure(`${url.host} redirected more than ${MOST_REDIRECTS} times`, { retry: false })
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    // Tunnels first: what waits for one cannot be closed before it.
    await Promise.all(this.#tunnels.map((tunnel) => tunnel.destroy()))
    await Promise.all([...this.#dispatchers.values()].map((dispatcher) => dispatcher.destroy()))
    this.#dispatchers.clear()
  }

  async #send(
    method: 'GET' | 'HEAD',
    url: URL,
    more: Record<string, string>,
    home: string,
    watchdog: Watchdog,
  ): Promise<Dispatcher.ResponseData> {
    const headers: Record<string, string> = {
      'user-agent': 'millrace',
      // Sizes, ranges and hashes are of the file itself.
      'accept-encoding': 'identity',
      ...more,
    }
    // Content often lies with somebody else, who must not see the token.
    if (this.#token !== undefined && url.origin === home) headers['authorization'] = `Bearer ${this.#token}`
    try {
      const dispatcher = await this.#dispatcher(url)
      const { request } = await import('undici')
      const options = {
        method,
        headers,
        dispatcher,
        signal: watchdog.signal,
        headersTimeout: 0,
        bodyTimeout: 0,
      }
      const answer = await request(url.href, options)
      watchdog.feed()
      return answer
    } catch (error) {
      throw watchdog.failure(error, url.host)
    }
  }

  async #dispatcher(url: URL): Promise<Dispatcher> {
    const proxy = proxyOf(url, this.#env)
    const found = this.#dispatchers.get(proxy ?? '')
    if (found !== undefined) return found
    const { Agent, Pool, ProxyAgent } = await import('undici')
    const { stallMs } = this.#timing
    const connect = { timeout: Math.min(CONNECT_MS, stallMs) }
    const made =
      proxy === undefined
        ? new Agent({ connect })
        : new ProxyAgent({
            uri: proxyUrl(proxy),
            // Plain HTTP is forwarded, as proxies expect it; HTTPS goes through a tunnel in any case.
            proxyTunnel: false,
            // A tunnel that is not opened in time must fail, or every attempt would wait for the same one.
            clientFactory: (origin, options) => {
              const tunnel = new Pool(origin, { ...options, headersTimeout: stallMs })
              this.#tunnels.push(tunnel)
              return tunnel
            },
          })
    this.#dispatchers.set(proxy ?? '', made)
    return made
  }
}

function proxyUrl(value: string): string {
  if (URL.canParse(value)) return value
  // It may hold a password, so it is not repeated.
  throw new HubFailure('The proxy of the environment is no URL', { retry: false })
}

function headerOf({ headers }: Dispatcher.ResponseData, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** What the headers say, if they say it: of a redirect to where the content lies, or of the content itself. */
function fileOf(
  header: (name: string) => string | undefined,
  revision: string,
  status: number,
): HubFile | undefined {
  const etag = header('x-linked-etag') ?? header('etag')
  const commit = header('x-repo-commit') ?? revision
  if (status >= 400 || etag === undefined || !/^[0-9a-f]{40}$/.test(commit)) return undefined
  const whole = status === 200 ? header('content-length') : header('content-range')?.split('/')[1]
  // A redirect's own length is that of its page.
  const size = Number(header('x-linked-size') ?? whole ?? Number.NaN)
  return { commit, etag: blobName(etag), ...(Number.isSafeInteger(size) && size >= 0 && { size }) }
}

function follow(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) {
    throw new HubFailure(`${from.host} redirected to no address`, { retry: false })
  }
  const to = new URL(location, from.href)
  if (to.protocol !== 'https:' && to.protocol !== from.protocol) {
    throw new HubFailure(`${from.host} redirected from https to ${to.protocol}`, { retry: false })
  }
  return to
}

/** Enough of a server's own words to act on. */
const SHOWN_MESSAGE = 300

function refusal(answer: Dispatcher.ResponseData, url: URL, home: string): HubFailure {
  const status = answer.statusCode
  const header = (name: string) => headerOf(answer, name)
  const said = header('x-error-message')?.slice(0, SHOWN_MESSAGE)
  const hubCode = header('x-error-code')
  const retryAfterMs = retryAfter(header)
  const later = retryAfterMs === undefined ? '' : ` (try again in ${Math.ceil(retryAfterMs / 1000)} s)`
  return new HubFailure(`${url.host} answered ${status}${said === undefined ? '' : `: ${said}`}${later}`, {
    status,
    // After 416 the next attempt asks for everything. Links to content expire; a new attempt gets a new one.
    retry: isPassing(status) || status === 416 || (url.origin !== home && [400, 401, 403].includes(status)),
    ...(hubCode !== undefined && { hubCode }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
}

function answerOf(answer: Dispatcher.ResponseData, url: URL, file: HubFile, watchdog: Watchdog): HubAnswer {
  const body = new Body(answer.body)
  // The time until the body is wanted is not the server's.
  watchdog.rest()
  return {
    status: answer.statusCode,
    url,
    file,
    header: (name) => headerOf(answer, name),
    discard: () => discard(answer, watchdog),
    async *chunks() {
      try {
        watchdog.feed()
        for await (const piece of body.pieces()) {
          watchdog.rest()
          yield piece
          watchdog.feed()
        }
      } catch (error) {
        throw watchdog.failure(error, url.host)
      } finally {
        watchdog.end()
      }
    },
  }
}

function discard({ body }: Dispatcher.ResponseData, watchdog: Watchdog): void {
  watchdog.end()
  body.on('error', () => {}) // it is cut off on purpose
  body.destroy()
}
