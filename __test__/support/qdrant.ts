/**
 * A server that speaks the part of Qdrant's REST interface that the sink uses, checks requests as Qdrant does, and can fail on demand. It
 * is no Qdrant: it keeps points in memory and searches all of them. The real client talks to it over a socket.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

interface Point {
  id: string
  vector: Record<string, number[] | { indices: number[]; values: number[] } | number[][]>
  payload: Record<string, unknown>
}

interface Collection {
  config: {
    vectors?: Record<string, { size: number; distance: string; multivector_config?: object }>
    sparse_vectors?: Record<string, { modifier?: string }>
  }
  points: Map<string, Point>
  indexes: Set<string>
}

/** What happens to the next requests, one each; then all is well. */
export type Fault = { status: number; retryAfter?: number } | 'reset'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

export class QdrantServer {
  readonly collections = new Map<string, Collection>()
  /** Names of collections by alias. */
  readonly aliases = new Map<string, string>()
  /** Whether the server answers for aliases: a key that is made for one collection may not ask. */
  hasAliases = true
  /** Method, path and bytes of the body of each request. */
  readonly requests: { method: string; path: string; bytes: number }[] = []
  readonly faults: Fault[] = []
  maxBodyBytes = 32 * 1024 * 1024
  readonly #server: Server
  url = ''

  constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.statusCode = 400
        response.end(JSON.stringify({ status: { error: String(error) }, time: 0 }))
      })
    })
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const url = new URL(request.url ?? '', 'http://x')
    const method = request.method ?? ''
    this.requests.push({ method, path: url.pathname, bytes: body.length })
    const fault = this.faults.shift()
    if (fault === 'reset') {
      request.socket.destroy()
      return
    }
    response.setHeader('content-type', 'application/json')
    if (fault !== undefined) {
      response.statusCode = fault.status
      if (fault.retryAfter !== undefined) response.setHeader('retry-after', String(fault.retryAfter))
      response.end(JSON.stringify({ status: { error: 'not now' }, time: 0 }))
      return
    }
    if (body.length > this.maxBodyBytes) {
      response.statusCode = 413
      response.end(JSON.stringify({ status: { error: 'payload too large' }, time: 0 }))
      return
    }
    const json = body.length > 0 ? (JSON.parse(body.toString()) as Record<string, unknown>) : {}
    const found = this.#route(method, url.pathname.split('/').filter(Boolean), json)
    if (found === undefined) {
      response.statusCode = 404
      response.end(JSON.stringify({ status: { error: `Not found: ${method} ${url.pathname}` }, time: 0 }))
    } else {
      response.end(JSON.stringify({ result: found, status: 'ok', time: 0 }))
    }
  }

  #route(method: string, path: string[], body: Record<string, unknown>): unknown {
    const [root, name = '', what, action] = path
    if (root !== 'collections') return undefined
    if (name === 'aliases') return this.hasAliases ? this.#changeAliases(body) : undefined
    const collection = this.collections.get(name)
    const call = [method, what, action].filter((part) => part !== undefined).join(' ')
    if (call === 'GET exists') return { exists: collection !== undefined }
    if (call === 'PUT') {
      if (collection !== undefined) throw new Error(`Collection ${name} already exists`)
      this.collections.set(name, {
        config: body as Collection['config'],
        points: new Map(),
        indexes: new Set(),
      })
      return true
    }
    if (collection === undefined) return undefined
    switch (call) {
      case 'GET':
        return {
          status: 'green',
          config: { params: collection.config },
          points_count: collection.points.size,
        }
      case 'GET aliases': {
        const own = [...this.aliases].filter(([, of]) => of === name)
        if (!this.hasAliases) return undefined
        return { aliases: own.map(([alias]) => ({ alias_name: alias, collection_name: name })) }
      }
      case 'DELETE':
        // A collection takes its aliases with it.
        for (const [alias, of] of this.aliases) if (of === name) this.aliases.delete(alias)
        return this.collections.delete(name)
      case 'PUT index':
        collection.indexes.add(String(body['field_name']))
        return { operation_id: 1, status: 'completed' }
      case 'POST points count':
        return { count: collection.points.size }
      case 'PUT points':
        for (const point of body['points'] as Point[]) this.#upsert(collection, point)
        return { operation_id: 1, status: 'completed' }
      case 'POST points delete': {
        const { must } = body['filter'] as { must: { key: string; match: { any: string[] } }[] }
        for (const { key } of must) if (!collection.indexes.has(key)) throw new Error(`No index on ${key}`)
        for (const [id, { payload }] of collection.points) {
          if (must.every(({ key, match }) => match.any.includes(String(payload[key]))))
            collection.points.delete(id)
        }
        return { operation_id: 1, status: 'completed' }
      }
      case 'POST points query': {
        const using = String(body['using'])
        const query = body['query'] as number[]
        const scored = [...collection.points.values()].map((point) => ({
          id: point.id,
          version: 1,
          score: cosine(query, point.vector[using] as number[]),
          payload: point.payload,
        }))
        return { points: scored.sort((a, b) => b.score - a.score).slice(0, Number(body['limit'])) }
      }
      default:
        return undefined
    }
  }

  #changeAliases(body: Record<string, unknown>): true {
    for (const action of body['actions'] as Record<
      string,
      { alias_name: string; collection_name: string }
    >[]) {
      const made = action['create_alias']
      if (made === undefined) throw new Error('Only create_alias is known here')
      if (!this.collections.has(made.collection_name))
        throw new Error(`No collection ${made.collection_name}`)
      this.aliases.set(made.alias_name, made.collection_name)
    }
    return true
  }

  #upsert({ config, points }: Collection, point: Point): void {
    if (!UUID.test(point.id)) throw new Error(`${point.id} is not a valid point ID`)
    for (const [name, vector] of Object.entries(point.vector)) {
      const dense = config.vectors?.[name]
      if (dense !== undefined) {
        const rows = dense.multivector_config === undefined ? [vector as number[]] : (vector as number[][])
        if (rows.some((row) => row.length !== dense.size))
          throw new Error(`Wrong vector dimension: expected ${dense.size}`)
      } else if (config.sparse_vectors?.[name] !== undefined) {
        const { indices, values } = vector as { indices: number[]; values: number[] }
        if (indices.length !== values.length || new Set(indices).size !== indices.length) {
          throw new Error('Wrong sparse vector: indices must be unique')
        }
      } else {
        throw new Error(`Not existing vector name ${name}`)
      }
    }
    points.set(point.id, point)
  }
}

function cosine(a: number[], b: number[]): number {
  let [dot, aa, bb] = [0, 0, 0]
  for (const [i, x] of a.entries()) {
    const y = b[i] ?? 0
    dot += x * y
    aa += x * x
    bb += y * y
  }
  return dot / Math.sqrt(aa * bb)
}
