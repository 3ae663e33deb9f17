/** What is used of LanceDB, an optional package. */

import { importPeer, peerOf } from '../../../peers/peer.js'
import type { Arrow } from './arrow-tables.js'

export interface LanceTable {
  add(data: unknown): Promise<unknown>
  delete(predicate: string): Promise<unknown>
  countRows(filter?: string): Promise<number>
  version(): Promise<number>
  optimize(): Promise<unknown>
  schema(): Promise<{ fields: { name: string; type: unknown }[]; metadata: Map<string, string> }>
  createIndex(column: string): Promise<void>
  listIndices(): Promise<{ columns: string[] }[]>
  vectorSearch(vector: Float32Array | number[]): LanceQuery
  close(): void
}

export interface LanceQuery {
  distanceType(type: string): LanceQuery
  limit(n: number): LanceQuery
  where(predicate: string): LanceQuery
  select(columns: string[]): LanceQuery
  toArray(): Promise<Record<string, unknown>[]>
}

export interface LanceConnection {
  tableNames(): Promise<string[]>
  openTable(name: string): Promise<LanceTable>
  createEmptyTable(name: string, schema: unknown, options?: object): Promise<LanceTable>
  close(): void
}

export interface LanceDb {
  connect(uri: string): Promise<LanceConnection>
}

const LANCEDB = '~0.22.3'
const ARROW = '18.1.0'

/** The package. `user` is who needs it, for errors. */
export function importLanceDb(user: string): Promise<LanceDb> {
  return importPeer<LanceDb>('@lancedb/lancedb', LANCEDB, user)
}

/** The instance of apache-arrow that LanceDB takes tables of. */
export function arrowOfLanceDb(user: string): Arrow {
  return peerOf<Arrow>('@lancedb/lancedb', 'apache-arrow', ARROW, user)
}
