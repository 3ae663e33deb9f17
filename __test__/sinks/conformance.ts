/**
 * What every sink must do, whatever it writes to: run over each of them. A subject says how one is made at a fresh place and how
 * what is there is read back, by other means than the sink's own.
 */
import { expect, it } from 'vitest'
import type { JsonValue, PipelineRecord, RecordBatch, Sink, VectorSchema } from '../../index.js'
import { type Stored, storedOf } from '../pipeline/support.js'

export interface Subject {
  /** A name that no other test has: a directory, a table. */
  place(): Promise<string>
  make(place: string): Sink
  /** The records in any order, vectors as numbers. */
  read(place: string): Promise<Stored[]>
  /** Texts that it cannot keep as they are. */
  without?: RegExp
}

const DIM = 16

export const SCHEMA: VectorSchema = {
  dense: { model: 'test/model', dim: DIM, dtype: 'float32' },
  sparse: { model: 'test/sparse', idf: true },
}

/** Texts that break quoting, encodings and lines. */
const TEXTS = [
  'plain',
  `it's "quoted" \`and\` $1 ${'{'}curly} \\ back\\slash`,
  'two\nlines\r\nand\ttabs',
  'emoji 👩‍👩‍👧 and ünïcödé 漢字',
  '',
  '; DROP TABLE documents; --',
  'x'.repeat(200_000),
]

/** Records of a document, one a text, with vectors made of their places. */
export function records(documentId: string, texts: readonly string[], salt = 0): PipelineRecord[] {
  return texts.map((text, chunk) => ({
    id: `${documentId}#${chunk}`,
    documentId,
    chunk,
    text,
    start: chunk,
    end: chunk + text.length,
    tokens: 3 + salt,
    headings: chunk === 1 ? ['One', `Two's "half"`] : [],
    metadata: { title: `of ${documentId}`, salt, nested: { list: [1, null, true] } },
  }))
}

export function batchOf(all: PipelineRecord[]): RecordBatch {
  const data = new Float32Array(all.length * DIM)
  for (const [i, { chunk, tokens }] of all.entries()) {
    for (let d = 0; d < DIM; d++) data[i * DIM + d] = Math.fround(Math.sin(1 + d * (chunk + 1) + tokens))
  }
  const rowOffsets = Uint32Array.from({ length: all.length + 1 }, (_, i) => i * 2)
  const indices = Uint32Array.from({ length: all.length * 2 }, (_, i) => (i % 2 === 0 ? 7 : 2_146_894_070))
  const values = Float32Array.from({ length: all.length * 2 }, (_, i) => i / 8 + 0.125)
  return {
    records: all,
    dense: { dim: DIM, width: DIM, dtype: 'float32', data },
    sparse: { indices, values, rowOffsets },
  }
}

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/** Both lists hold the same records; vectors as float32 has them. */
function expectSame(found: Stored[], expected: Stored[]): void {
  expect(found.map(({ id }) => id).sort()).toEqual(expected.map(({ id }) => id).sort())
  expect(found.sort(byId)).toEqual(expected.sort(byId))
}

async function opened(sink: Sink, checkpoint?: JsonValue): Promise<Sink> {
  await sink.open({ schema: SCHEMA, ...(checkpoint !== undefined && { checkpoint }) })
  return sink
}

/** Declares the tests. */
export function conforms(subject: Subject): void {
  const nasty = TEXTS.filter((text) => subject.without?.test(text) !== true)

  it('gives back what was written, however nasty', async () => {
    const place = await subject.place()
    const sink = await opened(subject.make(place))
    const first = batchOf(records(`a'"\\b\n👍`, nasty))
    const second = batchOf(records('plain', ['one', 'two']))
    await sink.write(first)
    await sink.commit()
    await sink.write(second)
    await sink.commit()
    await sink.close()
    expectSame(await subject.read(place), [...storedOf(first), ...storedOf(second)])
  })

  it('takes large batches and empty commits', async () => {
    const place = await subject.place()
    const sink = await opened(subject.make(place))
    await sink.commit()
    const batch = batchOf(
      Array.from({ length: 700 }, (_, i) => records(`d${i}`, ['some text', 'more'], i)).flat(),
    )
    await sink.write(batch)
    await sink.commit()
    await sink.commit()
    await sink.close()
    expectSame(await subject.read(place), storedOf(batch))
  })

  it('replaces documents where it can, and knows no others', async () => {
    const place = await subject.place()
    const sink = await opened(subject.make(place))
    if (sink.remove === undefined) {
      await sink.close()
      return
    }
    const kept = batchOf(records('kept', ['x']))
    await sink.write(kept)
    await sink.write(batchOf(records(`it's`, ['old', 'older'])))
    await sink.write(batchOf(records('gone', ['old'])))
    await sink.commit()
    await sink.remove([`it's`, 'gone', 'never there'])
    const fresh = batchOf(records(`it's`, ['new'], 5))
    await sink.write(fresh)
    await sink.commit()
    await sink.close()
    expectSame(await subject.read(place), [...storedOf(kept), ...storedOf(fresh)])
  })

  it('goes on from the last checkpoint, or from the one before', async () => {
    for (const later of [true, false]) {
      const place = await subject.place()
      const sink = await opened(subject.make(place))
      const start = await sink.commit()
      const first = batchOf(records('first', ['a', 'b']))
      await sink.write(first)
      const before = await sink.commit()
      await sink.write(batchOf(records('second', ['c'])))
      if (later) await sink.commit()
      // What comes after is not told the journal: the process dies, which closes what it had open.
      await sink.write(batchOf(records('third', ['d', 'e'])))
      await sink.close()
      const again = await opened(subject.make(place), before)
      await again.remove?.(['second', 'third'])
      const second = batchOf(records('second', ['c', 'c2'], 9))
      await again.write(second)
      await again.commit()
      await again.close()
      expectSame(await subject.read(place), [...storedOf(first), ...storedOf(second)])
      expect(start).toBeDefined()
    }
  })

  it('refuses a place that holds something and that no journal knows', async () => {
    const place = await subject.place()
    const sink = await opened(subject.make(place))
    await sink.write(batchOf(records('a', ['b'])))
    await sink.commit()
    await sink.close()
    const other = subject.make(place)
    await expect(opened(other)).rejects.toMatchObject({ code: 'SINK_FAILED' })
    await other.close()
    await other.close()
    expect(await subject.read(place)).toHaveLength(1)
  })
}
