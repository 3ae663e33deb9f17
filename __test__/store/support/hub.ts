/**
 * A model hub on this machine, with a second address for large files as the real one has. It answers as the hub does, and
 * misbehaves where a test says so.
 */

import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Misbehaviour, sendContent } from './content.js'

export interface HubRequest {
  /** Which of the two addresses. */
  at: 'hub' | 'cdn'
  method: string
  /** Without the query. */
  path: string
  /** Path in the repository, of requests for a file. */
  file: string
  headers: IncomingMessage['headers']
}

/** What goes wrong, for which requests, how often. */
export interface Fault extends Misbehaviour {
  when?: (request: HubRequest) => boolean
  times?: number
  /** Answers in the server's place. */
  instead?: (response: ServerResponse, request: HubRequest) => unknown
}

export interface Repo {
  /** Files by path, of each commit. */
  commits: Map<string, Map<string, Buffer>>
  refs: Map<string, string>
  gated?: boolean
  /** Token that may read it. */
  token?: string
  /** Its name now. */
  movedTo?: string
}

/** From here on a file is large: it lies at the second address under its sha256. */
const LARGE = 4096

export const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex')

export const gitSha1 = (content: Buffer): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')

const isLarge = (content: Buffer): boolean => content.length >= LARGE

/** Name of its blob. */
export const etagOf = (content: Buffer): string => (isLarge(content) ? sha256(content) : gitSha1(content))

export class TestHub {
  readonly requests: HubRequest[] = []
  readonly repos = new Map<string, Repo>()
  /** Of large files, whether the redirect tells size and hash. */
  announcesLarge = true
  /** Of large files, the redirect tells the hash only. */
  hidesSize = false
  #faults: { fault: Fault; left: number }[] = []
  readonly #servers: Server[] = []
  url = ''
  cdn = ''

  static async start(): Promise<TestHub> {
    const hub = new TestHub()
    // Another host by name: clients treat redirects within the hub's own differently.
    hub.cdn = (await hub.#listen('cdn')).replace('127.0.0.1', 'localhost')
    hub.url = await hub.#listen('hub')
    return hub
  }

  /** Adds a repository of one commit, which `main` stands for. */
  add(name: string, commit: string, files: Record<string, Buffer | string>): Repo {
    const repo: Repo = this.repos.get(name) ?? { commits: new Map(), refs: new Map() }
    repo.commits.set(
      commit,
      new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)])),
    )
    repo.refs.set('main', commit)
    this.repos.set(name, repo)
    return repo
  }

  fault(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 })
  }

  /** Forgets requests and faults. */
  reset(): void {
    this.requests.length = 0
    this.#faults = []
    this.announcesLarge = true
    this.hidesSize = false
  }

  /** `GET hub config.json`, in order. */
  log(): string[] {
    return this.requests.map(({ method, at, file }) => `${method} ${at} ${file}`)
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }

  async #listen(at: 'hub' | 'cdn'): Promise<string> {
    const server = createServer((request, response) => this.#answer(at, request, response))
    this.#servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  #answer(at: 'hub' | 'cdn', incoming: IncomingMessage, response: ServerResponse): unknown {
    response.on('error', () => {}) // the client may have gone away
    const { pathname, searchParams } = new URL(incoming.url ?? '/', this.url || this.cdn)
    const path = decodeURIComponent(pathname)
    const resolve = /^\/(.+)\/resolve\/([^/]+)\/(.+)$/.exec(pathname)?.slice(1).map(decodeURIComponent)
    const file = at === 'cdn' ? (searchParams.get('file') ?? '') : (resolve?.[2] ?? '')
    const request = { at, method: incoming.method ?? '', path, file, headers: incoming.headers }
    this.requests.push(request)
    const found = this.#faults.find(({ fault, left }) => left > 0 && (fault.when?.(request) ?? true))
    if (found !== undefined) found.left--
    const fault = found?.fault ?? {}
    if (fault.instead !== undefined) return fault.instead(response, request)
    if (at === 'cdn') return this.#sendLarge(pathname.slice(1), incoming, response, fault)
    const [name, revision] = resolve ?? []
    if (name !== undefined && revision !== undefined)
      return this.#resolve(name, revision, file, incoming, response, fault)
    return this.#api(path, response)
  }

  #resolve(
    name: string,
    revision: string,
    file: string,
    incoming: IncomingMessage,
    response: ServerResponse,
    fault: Fault,
  ): unknown {
    const repo = this.repos.get(name)
    // The real hub does not tell strangers which repositories exist.
    if (repo === undefined) return refuse(response, 401, 'RepoNotFound', 'Invalid username or password.')
    if (repo.movedTo !== undefined) {
      return response.writeHead(307, { location: `/${repo.movedTo}/resolve/${revision}/${file}` }).end()
    }
    const authorized = repo.token === undefined || incoming.headers.authorization === `Bearer ${repo.token}`
    if (!authorized) {
      if (repo.gated === true) return refuse(response, 403, 'GatedRepo', 'Access is restricted.')
      return refuse(response, 401, 'RepoNotFound', 'Invalid username or password.')
    }
    const commit = repo.refs.get(revision) ?? revision
    const files = repo.commits.get(commit)
    if (files === undefined) return refuse(response, 404, 'RevisionNotFound', 'Invalid rev id')
    const content = files.get(file)
    if (content === undefined) return refuse(response, 404, 'EntryNotFound', 'Entry not found')
    const headers = { 'x-repo-commit': commit, etag: `"${etagOf(content)}"` }
    if (!isLarge(content)) return sendContent(content, incoming, response, headers, fault)
    const announced = this.announcesLarge
      ? {
          'x-linked-etag': `"${sha256(content)}"`,
          ...(!this.hidesSize && { 'x-linked-size': String(content.length) }),
        }
      : {}
    const location = `${this.cdn}/${sha256(content)}?file=${encodeURIComponent(file)}`
    return response
      .writeHead(302, { ...headers, ...announced, location })
      .end(`Found. Redirecting to ${location}`)
  }

  #sendLarge(hash: string, incoming: IncomingMessage, response: ServerResponse, fault: Fault): unknown {
    for (const { commits } of this.repos.values()) {
      for (const files of commits.values()) {
        for (const content of files.values()) {
          if (sha256(content) !== hash) continue
          // An ETag of its own, as object stores have.
          return sendContent(content, incoming, response, { etag: `"cdn-${hash.slice(0, 8)}"` }, fault)
        }
      }
    }
    return refuse(response, 404, 'EntryNotFound', 'No such object')
  }

  /** What Python's client asks before it downloads. */
  #api(path: string, response: ServerResponse): unknown {
    const [, name = '', , revision = 'main'] =
      /^\/api\/models\/([^/]+\/[^/]+)(\/(?:revision|tree)\/(.+))?$/.exec(path) ?? []
    const repo = this.repos.get(name)
    const commit = repo?.refs.get(revision) ?? revision
    const files = repo?.commits.get(commit)
    if (files === undefined) return refuse(response, 404, 'RepoNotFound', 'Repository not found')
    const body = path.includes('/tree/')
      ? [...files].map(([path, content]) => ({
          type: 'file',
          path,
          size: content.length,
          oid: gitSha1(content),
          ...(isLarge(content) && {
            lfs: { oid: sha256(content), size: content.length, pointerSize: 134 },
          }),
        }))
      : {
          id: name,
          modelId: name,
          sha: commit,
          private: false,
          downloads: 0,
          tags: [],
          siblings: [...files.keys()].map((rfilename) => ({ rfilename })),
        }
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
}

export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
): ServerResponse {
  return response.writeHead(status, { 'x-error-code': code, 'x-error-message': message }).end(message)
}
