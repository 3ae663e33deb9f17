/** What the command line must know of a family to embed with it. Each family has a file of its own. */

import type { DType, ErrorMode, ModelInfo } from '../../../index.js'
import type { InputFormat } from '../input/records.js'
import type { DenseFlags, Role } from '../model-options.js'
import type { Destination } from '../output/destination.js'
import type { OutputFormat } from '../output/format.js'
import type { Scratch } from '../output/scratch.js'
import type { Batch, RowWriter } from '../running/batch.js'
import type { Loaded, Loading } from '../running/run.js'
import type { FamilyName } from './names.js'

/** Options of `millrace embed` that say what is made of the items, of all families. */
export interface FamilyFlags extends DenseFlags {
  maxBatchTokens?: number
  batchSize?: number
  overflow?: 'truncate' | 'error' | 'chunk'
  dtype?: DType
  taskId?: number
  kind?: string
  language?: string
  k?: number
  b?: number
  avgLen?: number
  tokenMaxLength?: number
  disableStemmer?: boolean
  stopwords?: string
  alpha?: number
  autoOrient?: boolean
  text?: boolean
}

/** Options of `millrace embed`. */
export interface EmbedFlags extends FamilyFlags {
  family?: FamilyName
  format?: InputFormat
  field?: string
  encoding?: string
  keep?: string[]
  list?: string[]
  limit?: number
  output?: string
  to?: OutputFormat
  errors: ErrorMode
  query?: boolean
  passage?: boolean
  quiet?: boolean
  json?: boolean
}

/** What a text over the limit does, where chunks are out of the question. */
export function cutOrFail({ overflow }: FamilyFlags): 'truncate' | 'error' {
  return overflow === 'error' ? 'error' : 'truncate'
}

/** Where a writer writes. */
export interface Output {
  to: Destination
  format: OutputFormat
  /** Where the scales of quantised rows go; .npy only. */
  scales?: Destination
  /** A file for what cannot go into the output yet. */
  scratch(name: string): Promise<Scratch>
}

/** A family: how it reads, runs and writes. */
export interface Family<B extends Batch = Batch> {
  /** What its vectors are called in messages. */
  readonly vectors: string
  readonly outputs: readonly OutputFormat[]
  /** Rows of a batch on the way to the output. */
  readonly batchRows: number
  /** What its items are. */
  items(flags: FamilyFlags): 'texts' | 'images'
  load(flags: FamilyFlags, role: Role, loading: Loading): Promise<Loaded<B, string>>
  writer(output: Output, flags: FamilyFlags, info: ModelInfo): Promise<RowWriter<B>>
}

/** Rows of vectors: a write of a useful size, and a first line soon. */
export const VECTOR_ROWS = 64

/** Rows of a vector for each token, which are a hundred times as large: a page has 1,030 of them, half a MiB. */
export const MULTI_VECTOR_ROWS = 8
