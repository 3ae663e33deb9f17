/**
 * Searching through an approximate index of pgvector. Left alone, such an index gives what it comes across and not what was asked for: of hnsw 40
 * rows at most, of ivfflat those of one list. How far it looks is set for each search, and where it still finds too few, all rows are compared.
 */

import type { Connection } from './connection.js'

/** How many candidates hnsw keeps for each row asked for, and at least: recall of some 99 % on text vectors. The most is pgvector's own limit. */
const CANDIDATES_PER_ROW = 2
const LEAST_CANDIDATES = 100
const MOST_CANDIDATES = 1000

/** Lists that ivfflat looks through at least; of more it is the square root of all, pgvector's own advice. */
const LEAST_PROBES = 10

/** Since this version an index goes on looking until it has found enough. */
const ITERATIVE_SINCE = [0, 8] as const

/** The index of a table. */
export class Approximation {
  readonly #connection: Connection
  readonly #settings: (limit: number) => Record<string, string | number>

  private constructor(connection: Connection, settings: (limit: number) => Record<string, string | number>) {
    this.#connection = connection
    this.#settings = settings
  }

  /** The approximate index of the table's vectors, whoever made it; nothing where searches are exact. */
  static async find(connection: Connection, table: string): Promise<Approximation | undefined> {
    const { rows } = await connection.query(
      `SELECT am.amname AS kind, c.reloptions AS options, e.extversion AS version
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
       LEFT JOIN pg_extension e ON e.extname = 'vector'
       WHERE i.indrelid = to_regclass($1) AND am.amname IN ('hnsw', 'ivfflat')`,
      [table],
    )
    if (rows.length === 0) return undefined
    const isIterative = isSince(String(rows[0]?.['version'] ?? ''))
    // The server may choose either, where there are both.
    const settings = rows.map(({ kind, options }) =>
      kind === 'hnsw' ? hnsw(isIterative) : ivfflat(isIterative, listsOf(options)),
    )
    return new Approximation(connection, (limit) => Object.assign({}, ...settings.map((of) => of(limit))))
  }

  /** Runs the search so that `limit` rows come, or all that there are. The settings end with the transaction. */
  async search<T>(run: () => Promise<T[]>, limit: number): Promise<T[]> {
    await this.#connection.query('BEGIN READ ONLY')
    try {
      for (const [name, value] of Object.entries(this.#settings(limit))) {
        await this.#connection.query(`SET LOCAL ${name} = '${value}'`)
      }
      const found = await run()
      if (found.length >= limit) return found
      await this.#connection.query('SET LOCAL enable_indexscan = off')
      return await run()
    } finally {
      await this.#connection.query('ROLLBACK')
    }
  }
}

const hnsw = (isIterative: boolean) => (limit: number) => ({
  'hnsw.ef_search': Math.min(MOST_CANDIDATES, Math.max(LEAST_CANDIDATES, CANDIDATES_PER_ROW * limit)),
  ...(isIterative && { 'hnsw.iterative_scan': 'strict_order' }),
})

const ivfflat = (isIterative: boolean, lists: number) => () => ({
  'ivfflat.probes': Math.min(lists, Math.max(LEAST_PROBES, Math.ceil(Math.sqrt(lists)))),
  // There is no strict order of lists; rows are sorted by distance all the same.
  ...(isIterative && { 'ivfflat.iterative_scan': 'relaxed_order' }),
})

/** `{lists=6}`; pgvector's default is 100. */
function listsOf(options: unknown): number {
  const said = Array.isArray(options)
    ? options.map((option) => /^lists=(\d+)$/.exec(String(option))?.[1])
    : []
  return Number(said.find((lists) => lists !== undefined) ?? 100)
}

function isSince(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > ITERATIVE_SINCE[0] || (major === ITERATIVE_SINCE[0] && minor >= ITERATIVE_SINCE[1])
}
