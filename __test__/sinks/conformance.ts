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
  /** Whether documents can be removed. */
  removes: boolean
  /** Removes what is there, as someone does who does not know of the journal. */
  wipe(place: string): Promise<void>
  /** Changes some of what is there: removes a record, or cuts a file. */
  damage(place: string): Promise<void>
  /** Everything that is there, tables and files, so that two answers can be compared; nothing is `null`. */
  look(place: string): Promise<unknown>
  /** What becomes of half a surrogate pair and of NUL in texts, ids and metadata. */
  keeps?: { halves?: boolean; nul?: boolean }
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

  it('can remove documents, or says that it cannot', async () => {
    expect(subject.make(await subject.place()).remove !== undefined).toBe(subject.removes)
  })

  it.runIf(subject.removes)('replaces documents, and knows no others', async () => {
    const place = await subject.place()
    const sink = await opened(subject.make(place))
    const kept = batchOf(records('kept', ['x']))
    await sink.write(kept)
    await sink.write(batchOf(records(`it's`, ['old', 'older'])))
    await sink.write(batchOf(records('gone', ['old'])))
    await sink.commit()
    await sink.remove?.([`it's`, 'gone', 'never there'])
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
      await sink.commit()
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
    }
  })

  it('refuses a place that holds something and that no journal knows, and changes nothing there', async () => {
    const place = await subject.place()
    await written(subject.make(place), batchOf(records('a', ['b'])))
    const before = await subject.look(place)
    for (const dense of [SCHEMA.dense, { model: 'other/model', dim: DIM, dtype: 'float32' as const }]) {
      const other = subject.make(place)
      const schema = { ...SCHEMA, ...(dense !== undefined && { dense }) }
      await expect(other.open({ schema })).rejects.toMatchObject({
        code: 'SINK_FAILED',
        message: expect.stringContaining('no journal says') as string,
      })
      await other.close()
      await other.close()
    }
    expect(await subject.look(place)).toEqual(before)
    expect(await subject.read(place)).toHaveLength(1)
  })

  // langchain-ai/langchain#39937: a record manager believed that documents were in a store that was empty.
  it('notices that the store is gone, or is not what the journal says, and changes nothing', async () => {
    for (const happens of ['wipe', 'damage'] as const) {
      const place = await subject.place()
      const batch = batchOf(['a', 'b', 'c'].flatMap((id) => records(id, ['text', 'more'])))
      const checkpoint = await written(subject.make(place), batch)
      const journal = { written: 3, begun: 0 }
      // As it is, it is opened again.
      const same = subject.make(place)
      await same.open({ schema: SCHEMA, checkpoint, journal })
      await same.close()
      await subject[happens](place)
      const before = await subject.look(place)
      const again = subject.make(place)
      await expect(again.open({ schema: SCHEMA, checkpoint, journal }), happens).rejects.toMatchObject({
        code: 'SINK_FAILED',
        message: expect.stringContaining('journal') as string,
      })
      await again.close()
      expect(await subject.look(place), happens).toEqual(before)
    }
  })

  it('notices that the store was made anew', async () => {
    const place = await subject.place()
    const batch = batchOf(records('a', ['text', 'more']))
    const checkpoint = await written(subject.make(place), batch)
    await subject.wipe(place)
    await written(subject.make(place), batchOf(records('b', ['else', 'longer than before'])))
    const again = subject.make(place)
    const opening = again.open({ schema: SCHEMA, checkpoint, journal: { written: 1, begun: 0 } })
    await expect(opening).rejects.toMatchObject({ code: 'SINK_FAILED' })
    await again.close()
    expect((await subject.read(place)).map(({ documentId }) => documentId)).toEqual(['b', 'b'])
  })

  // danny-avila/rag_api#295 and langchain-ai/langchainjs#4340 (NUL), and half emojis; a text that only looks like an escape stays as it is.
  it('keeps strings that databases and parsers refuse, changed where it cannot hold them', async () => {
    const place = await subject.place()
    const sink = await opened(subject.make(place))
    const written = `JSON writes NUL as \\u0000 and half a pair as \\ud83d.`
    const odd = 'half \ud83d and nul \u0000.'
    const record = records('odd', [written])[0] as PipelineRecord
    const metadata = { written, odd, [`key ${odd}`]: [odd, { in: odd }] }
    const batch = batchOf([{ ...record, metadata, headings: [written] }])
    await sink.write(batch)
    await sink.commit()
    await sink.close()
    const { halves = true, nul = true } = subject.keeps ?? {}
    const change = (text: string): string => {
      const whole = halves ? text : text.replaceAll('\ud83d', '\ufffd')
      return nul ? whole : whole.replaceAll('\u0000', '\ufffd')
    }
    const expected = {
      written,
      odd: change(odd),
      [change(`key ${odd}`)]: [change(odd), { in: change(odd) }],
    }
    expect(await subject.read(place)).toMatchObject([
      { text: written, headings: [written], metadata: expected },
    ])
  })
}

/** Writes a batch into a fresh store; answers the checkpoint. */
async function written(sink: Sink, batch: RecordBatch): Promise<JsonValue> {
  await opened(sink)
  await sink.write(batch)
  const checkpoint = await sink.commit()
  await sink.close()
  return checkpoint
}
