/** JSON lines: an object a record. It can only be added to; the journal's checkpoint is its length, with a checksum of its end. */

import { MillraceError } from '../../base/errors.js'
import { nextTurn } from '../../base/turn.js'
import { boolean, nonEmptyString, oneOf, parseOptions } from '../../options/check.js'
import type { JsonValue } from '../document.js'
import { denseRow, type RecordBatch, sparseRow } from '../record.js'
import type { DeadLetter, DeadLetterSink, Sink, SinkContext } from '../sink.js'
import { AppendFile, type CheckedFile, fileCheckpointOf } from './append-file.js'

/** Options of {@link jsonlSink}. */
export interface JsonlSinkOptions {
  /**
   * How dense vectors are written: numbers, or the little-endian bytes of the values in base64 (a third of the size, and exact).
   * @default 'array'
   */
  vectors?: 'array' | 'base64' | undefined
  /** Whether a file that is there, and that no journal knows, is begun anew; else it is refused. @default false */
  overwrite?: boolean | undefined
}

/** Lines are made in pieces of so many records, so that a turn of the event loop stays short. */
const LINES_AT_ONCE = 64

/**
 * Writes records as JSON lines: `{ id, documentId, chunk, text, start, end, tokens, headings, metadata }`, with `vector` (and its `dtype`
 * where that is not float32, and `scale` of int8 and uint8) and `sparse: { indices, values }` as the pipeline has them. Documents that change cannot be replaced.
 *
 * @example
 * const pipeline = await EmbeddingPipeline.create({ sink: jsonlSink('docs.jsonl') })
 */
export function jsonlSink(path: string, options?: JsonlSinkOptions): Sink {
  const { vectors = 'array', overwrite = false } = parseOptions<JsonlSinkOptions>('jsonlSink', options, {
    vectors: oneOf('array', 'base64'),
    overwrite: boolean,
  })
  return new JsonlSink(nonEmptyString('path', path), vectors, overwrite)
}

class JsonlSink implements Sink {
  readonly name = 'jsonl'
  readonly journalPath: string
  readonly #path: string
  readonly #vectors: 'array' | 'base64'
  readonly #overwrite: boolean
  #file: AppendFile | undefined

  constructor(path: string, vectors: 'array' | 'base64', overwrite: boolean) {
    this.#path = path
    this.#vectors = vectors
    this.#overwrite = overwrite
    this.journalPath = `${path}.journal`
  }

  async open({ checkpoint }: SinkContext): Promise<void> {
    const overwrite = this.#overwrite
    const checked = await AppendFile.check(this.#path, fileCheckpointOf(checkpoint), { overwrite })
    this.#file = await checked.begin()
  }

  async write(batch: RecordBatch): Promise<void> {
    for (let from = 0; from < batch.records.length; from += LINES_AT_ONCE) {
      const to = Math.min(from + LINES_AT_ONCE, batch.records.length)
      let lines = ''
      for (let i = from; i < to; i++) lines += `${JSON.stringify(this.#object(batch, i))}\n`
      await this.#file?.append(lines)
      await nextTurn()
    }
  }

  async commit(): Promise<JsonValue> {
    return { ...(await this.#file?.sync()) }
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  #object({ records, dense, sparse }: RecordBatch, i: number): object {
    const row = sparse === undefined ? undefined : sparseRow(sparse, i)
    const scale = dense?.scales?.[i]
    return {
      ...records[i],
      ...(dense !== undefined && { vector: this.#vector(denseRow(dense, i)) }),
      // Levels, halves and bits are numbers like others: without the format nobody could tell what they stand for.
      ...(dense !== undefined && dense.dtype !== 'float32' && { dtype: dense.dtype }),
      ...(scale !== undefined && { scale }),
      ...(row !== undefined && { sparse: { indices: [...row.indices], values: [...row.values] } }),
    }
  }

  #vector(values: ArrayLike<number> & ArrayBufferView): number[] | string {
    if (this.#vectors === 'array') return Array.from(values)
    return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')
  }
}

/**
 * Tells documents that could not be embedded as JSON lines: `{ documentId, index, code, message }`.
 *
 * @example
 * EmbeddingPipeline.create({ sink, deadLetters: jsonlDeadLetters('failed.jsonl') })
 */
export function jsonlDeadLetters(
  path: string,
  options?: { overwrite?: boolean | undefined },
): DeadLetterSink {
  const { overwrite = false } = parseOptions<{ overwrite?: boolean | undefined }>(
    'jsonlDeadLetters',
    options,
    {
      overwrite: boolean,
    },
  )
  nonEmptyString('path', path)
  let checked: CheckedFile | undefined
  let file: AppendFile | undefined
  // The file is touched with the first letter or commit, and not by opening: the sink may still refuse the run.
  const begun = async (): Promise<AppendFile> => {
    if (checked === undefined) throw new MillraceError('CLOSED', 'The dead letters are not open')
    file ??= await checked.begin()
    return file
  }
  return {
    name: 'jsonl dead letters',
    async open(checkpoint) {
      checked = await AppendFile.check(path, fileCheckpointOf(checkpoint), { overwrite })
    },
    async write(letters: readonly DeadLetter[]) {
      const to = await begun()
      for (const letter of letters) await to.append(`${JSON.stringify(letter)}\n`)
    },
    async commit() {
      return { ...(await (await begun()).sync()) }
    },
    async close() {
      await file?.close()
      file = undefined
      checked = undefined
    },
  }
}
