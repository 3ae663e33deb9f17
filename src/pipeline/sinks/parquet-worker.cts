/**
 * Writes Parquet files in a thread of its own: encoding takes a tenth of a second for a thousand vectors, and the event loop must not
 * wait for it. What a file holds is decided in `parquet.ts`.
 */

import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { importHere } from '../../peers/import.cjs'

/** A file to write. */
export interface ParquetTask {
  number: number
  path: string
  schema: object[]
  columns: { name: string; data: unknown; width?: number; rowOffsets?: Uint32Array }[]
  metadata: { key: string; value: string }[]
}

/** What became of it. */
export interface ParquetAnswer {
  number: number
  problem?: { message: string; missing: boolean }
}

interface Writer {
  parquetWriteBuffer(options: object): ArrayBuffer
}

/** Flat values as a list a row, which the writer wants as arrays. */
function listsOf({ data, width, rowOffsets }: ParquetTask['columns'][number]): unknown {
  const values = data as Float32Array
  if (width !== undefined) {
    const rows = values.length / width
    return Array.from({ length: rows }, (_, i) => Array.from(values.subarray(i * width, (i + 1) * width)))
  }
  if (rowOffsets === undefined) return data
  return Array.from({ length: rowOffsets.length - 1 }, (_, i) =>
    Array.from(values.subarray(rowOffsets[i], rowOffsets[i + 1])),
  )
}

async function write({ path, schema, columns, metadata }: ParquetTask): Promise<void> {
  const { parquetWriteBuffer } = (await importHere('hyparquet-writer')) as Writer
  const columnData = columns.map((column) => ({ name: column.name, data: listsOf(column) }))
  const bytes = new Uint8Array(
    parquetWriteBuffer({
      schema,
      columnData,
      kvMetadata: metadata,
      statistics: false,
      rowGroupSize: 100_000,
    }),
  )
  const file = openSync(`${path}.tmp`, 'w')
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}.tmp`, path)
}

parentPort?.on('message', (task: ParquetTask) => {
  const answer: ParquetAnswer = { number: task.number }
  write(task)
    .catch((error: unknown) => {
      const { code, message = String(error) } = (error ?? {}) as { code?: unknown; message?: string }
      answer.problem = { message, missing: code === 'ERR_MODULE_NOT_FOUND' }
    })
    .then(() => parentPort?.postMessage(answer))
})
