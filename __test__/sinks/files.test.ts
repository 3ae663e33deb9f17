/** JSON lines, NumPy and Parquet: what the sinks must do, read back by other means. */
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import { EmbeddingPipeline, jsonlDeadLetters, jsonlSink, numpySink, parquetSink } from '../../index.js'
import { NPY_HEADER_BYTES } from '../../src/pipeline/sinks/npy.js'
import type { Stored } from '../pipeline/support.js'
import { documents } from '../pipeline/support.js'
import { batchOf, conforms, records, SCHEMA } from './conformance.js'

const fresh = () => mkdtemp(join(tmpdir(), 'millrace-sink-'))

/** Files and what is in them; `null` where there is no folder. */
async function filesIn(folder: string): Promise<Record<string, string> | null> {
  const names = await readdir(folder).catch(() => null)
  if (names === null) return null
  const contents = await Promise.all(names.map((name) => readFile(join(folder, name), 'latin1')))
  return Object.fromEntries(names.map((name, i) => [name, contents[i] ?? '']))
}

function lines<T>(path: string): T[] {
  const text = readFileSync(path, 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}

type Line = Stored & {
  vector: number[] | string
  sparse: { indices: number[]; values: number[] } | undefined
}

function fromLine({ vector, sparse, ...record }: Line): Stored {
  const dense =
    typeof vector === 'string'
      ? [...new Float32Array(Uint8Array.from(Buffer.from(vector, 'base64')).buffer)]
      : vector
  const row = sparse as unknown as { indices: number[]; values: number[] }
  return {
    ...record,
    dense,
    sparse: row.indices.map((index, i): [number, number] => [index, row.values[i] as number]),
  }
}

describe('jsonlSink', () => {
  conforms({
    place: async () => join(await fresh(), 'out.jsonl'),
    make: (place) => jsonlSink(place),
    removes: false,
    wipe: (place) => rm(place),
    damage: (place) => truncate(place, 10),
    look: (place) => filesIn(dirname(place)),
    read: async (place) => lines<Line>(place).map(fromLine),
  })

  it('writes the exact bytes of vectors in base64', async () => {
    const path = join(await fresh(), 'out.jsonl')
    const sink = jsonlSink(path, { vectors: 'base64' })
    await sink.open({ schema: SCHEMA })
    const batch = batchOf(records('a', ['b', 'c']))
    await sink.write(batch)
    await sink.commit()
    await sink.close()
    expect(lines<Line>(path).flatMap((line) => fromLine(line).dense)).toEqual([...(batch.dense?.data ?? [])])
  })

  it('refuses a file that is shorter than its journal says, and one in a folder that cannot be', async () => {
    const path = join(await fresh(), 'out.jsonl')
    await writeFile(path, 'short')
    const cut = jsonlSink(path)
    await expect(cut.open({ schema: SCHEMA, checkpoint: { bytes: 100 } })).rejects.toMatchObject({
      code: 'SINK_FAILED',
    })
    await using pipeline = await EmbeddingPipeline.create({
      sink: jsonlSink(join(path, 'x.jsonl')),
      journal: false,
    })
    await expect(pipeline.run(documents(1))).rejects.toMatchObject({ code: 'SINK_FAILED' })
  })

  it('begins anew only when it may', async () => {
    const path = join(await fresh(), 'out.jsonl')
    await writeFile(path, 'somebody wrote this\n')
    await expect(jsonlSink(path).open({ schema: SCHEMA })).rejects.toMatchObject({ code: 'SINK_FAILED' })
    expect(readFileSync(path, 'utf8')).toBe('somebody wrote this\n')
    const sink = jsonlSink(path, { overwrite: true })
    await sink.open({ schema: SCHEMA })
    await sink.close()
    expect(readFileSync(path, 'utf8')).toBe('')
  })
})

describe('jsonlDeadLetters', () => {
  it('tells each failed document once, over several runs', async () => {
    const folder = await fresh()
    const letters = join(folder, 'failed.jsonl')
    const sink = () => jsonlSink(join(folder, 'out.jsonl'))
    const source = [...documents(3), { id: 'bad', text: 5 as unknown as string }]
    for (let run = 0; run < 2; run++) {
      await using pipeline = await EmbeddingPipeline.create({
        sink: sink(),
        deadLetters: jsonlDeadLetters(letters),
      })
      const report = await pipeline.run(source)
      expect(report.failed).toBe(1)
    }
    const told = lines<{ index: number; code: string }>(letters)
    expect(told).toMatchObject([{ index: 3, code: 'INPUT_INVALID' }])
  })
})

/** A one- or two-dimensional array of a file that has our header. */
function npy(path: string): { shape: number[]; data: Buffer } {
  const bytes = readFileSync(path)
  const shape = /'shape': \(([^)]*)\)/.exec(bytes.toString('latin1', 0, NPY_HEADER_BYTES))?.[1] ?? ''
  const sizes = shape.split(',').filter((size) => size.trim() !== '')
  return { shape: sizes.map(Number), data: bytes.subarray(NPY_HEADER_BYTES) }
}

const copyOf = (data: Buffer): ArrayBuffer => Uint8Array.from(data).buffer

describe('numpySink', () => {
  conforms({
    place: async () => join(await fresh(), 'out.npy'),
    make: (place) => numpySink(place),
    removes: false,
    wipe: async (place) => rm(dirname(place), { recursive: true }),
    damage: (place) => truncate(place.replace(/npy$/, 'records.jsonl'), 10),
    look: (place) => filesIn(dirname(place)),
    async read(place) {
      const base = place.replace(/\.npy$/, '')
      const dense = npy(place)
      const [rows = 0, width = 0] = dense.shape
      const values = new Float32Array(copyOf(dense.data))
      expect(values.length).toBe(rows * width)
      const indptr = new BigInt64Array(copyOf(npy(`${base}.indptr.npy`).data))
      const indices = new BigInt64Array(copyOf(npy(`${base}.indices.npy`).data))
      const data = new Float32Array(copyOf(npy(`${base}.data.npy`).data))
      expect(npy(`${base}.indptr.npy`).shape).toEqual([rows + 1])
      expect(npy(`${base}.data.npy`).shape).toEqual([data.length])
      return lines<Stored>(`${base}.records.jsonl`).map((record, i) => {
        const [from, to] = [Number(indptr[i]), Number(indptr[i + 1])]
        const sparse = [...indices.slice(from, to)].map((index, j): [number, number] => [
          Number(index),
          data[from + j] as number,
        ])
        return { ...record, dense: [...values.subarray(i * width, (i + 1) * width)], sparse }
      })
    },
  })
})

describe('parquetSink', () => {
  conforms({
    place: fresh,
    make: (place) => parquetSink(place),
    removes: false,
    wipe: (place) => rm(place, { recursive: true }),
    damage: (place) => truncate(join(place, 'part-000000.parquet'), 10),
    look: (place) => filesIn(place),
    async read(place) {
      const parts = (await readdir(place)).filter((name) => name.endsWith('.parquet')).sort()
      const rows: Record<string, unknown>[] = []
      for (const part of parts)
        rows.push(...(await parquetReadObjects({ file: await asyncBufferFromFile(join(place, part)) })))
      return rows.map((row): Stored => {
        const indices = row['sparse_indices'] as number[]
        const values = row['sparse_values'] as number[]
        return {
          id: row['id'] as string,
          documentId: row['document_id'] as string,
          chunk: row['chunk'] as number,
          text: row['text'] as string,
          start: row['start'] as number,
          end: row['end'] as number,
          tokens: row['tokens'] as number,
          headings: JSON.parse(row['headings'] as string),
          metadata: JSON.parse(row['metadata'] as string),
          dense: row['vector'] as number[],
          sparse: indices.map((index, i): [number, number] => [Number(index), values[i] as number]),
        }
      })
    },
  })

  it('leaves nothing of files that were being written', async () => {
    const folder = await fresh()
    await writeFile(join(folder, 'part-000000.parquet.tmp'), 'half')
    const sink = parquetSink(folder)
    await sink.open({ schema: SCHEMA })
    expect((await readdir(folder)).filter((name) => name.startsWith('part-'))).toEqual([])
    await sink.close()
  })
})
