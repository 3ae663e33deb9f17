/** What every store that can be searched must do: which queries and limits it takes, what a hit has, and which errors come out. */
import { expect, it } from 'vitest'
import type { RecordBatch, SearchableStore, Sink, VectorSchema } from '../../index.js'
import { records } from './conformance.js'

export interface SearchSubject {
  /** A name that no other test has. */
  place(): Promise<string>
  make(place: string): Sink
  open(place: string): Promise<SearchableStore>
}

const DIM = 8
const SCHEMA: VectorSchema = { dense: { model: 'test/model', dim: DIM, dtype: 'float32' } }

/** Records whose vectors turn away from the first axis, the later the farther. */
function fan(count: number): RecordBatch {
  const all = Array.from({ length: count }, (_, i) => ({ ...(records(`d${i}`, ['some text'])[0] as object) }))
  const data = new Float32Array(count * DIM)
  for (let i = 0; i < count; i++) {
    const angle = (i / count) * (Math.PI / 2)
    data[i * DIM] = Math.cos(angle)
    data[i * DIM + 1] = Math.sin(angle)
  }
  return {
    records: all as unknown as RecordBatch['records'],
    dense: { dim: DIM, width: DIM, dtype: 'float32', data },
  }
}

const FIRST_AXIS = Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0)

/** Declares the tests. */
export function searches({ place, make, open }: SearchSubject): void {
  const filled = async (count: number): Promise<SearchableStore> => {
    const at = await place()
    const sink = make(at)
    await sink.open({ schema: SCHEMA })
    await sink.write(fan(count))
    await sink.commit()
    await sink.close()
    return open(at)
  }

  it('gives hits with their places, the nearest first', async () => {
    const store = await filled(20)
    const hits = await store.search(FIRST_AXIS, { limit: 3 })
    expect(hits.map(({ documentId }) => documentId)).toEqual(['d0', 'd1', 'd2'])
    expect(hits[0]).toMatchObject({ id: 'd0#0', chunk: 0, start: 0, end: 9, text: 'some text', headings: [] })
    expect(hits[0]?.score).toBeCloseTo(1, 5)
    expect(hits[2]?.score).toBeCloseTo(Math.cos(Math.PI / 20), 5)
    expect(await store.search(FIRST_AXIS)).toHaveLength(10)
    // A vector that went through JSON.
    expect(await store.search([...FIRST_AXIS], { limit: 3 })).toEqual(hits)
    await store.close()
  })

  // asg017/sqlite-vec#157 and basicmachines-co/basic-memory#604: more rows than an extension's own limit.
  it('gives as many hits as were asked for', async () => {
    const store = await filled(4200)
    const hits = await store.search(FIRST_AXIS, { limit: 4150 })
    expect(hits).toHaveLength(4150)
    expect(hits.slice(0, 3).map(({ documentId }) => documentId)).toEqual(['d0', 'd1', 'd2'])
    expect(await store.search(FIRST_AXIS, { limit: 5000 })).toHaveLength(4200)
    await store.close()
  }, 60_000)

  it('refuses queries and limits that mean nothing', async () => {
    const store = await filled(3)
    const refused = (query: unknown, options?: object) =>
      store.search(query as Float32Array, options as { limit: number }).then(
        () => 'found',
        ({ name, code }: { name: string; code: string }) => `${name} ${code}`,
      )
    expect(await refused(FIRST_AXIS.map(() => Number.NaN))).toBe('MillraceError INPUT_INVALID')
    expect(await refused([Number.POSITIVE_INFINITY, 0, 0, 0, 0, 0, 0, 0])).toBe('MillraceError INPUT_INVALID')
    expect(await refused(new Float32Array(DIM))).toBe('MillraceError INPUT_INVALID')
    expect(await refused(new Float32Array(DIM + 1).fill(1))).toBe('MillraceError INPUT_INVALID')
    expect(await refused(new Float32Array(0))).toBe('MillraceError INPUT_INVALID')
    for (const query of ['text', undefined, { 0: 1 }, ['1'], 5])
      expect(await refused(query)).toBe('MillraceError INVALID_OPTION')
    for (const limit of [0, -1, 1.5, Number.NaN, '5'])
      expect(await refused(FIRST_AXIS, { limit })).toBe('MillraceError INVALID_OPTION')
    const message = await store.search(new Float32Array(6).fill(1)).catch((error: Error) => error.message)
    expect(message).toContain('query of 8 dimensions')
    expect(message).toContain('received 6')
    await store.close()
  })

  it('rejects with the reason of an abort', async () => {
    const store = await filled(3)
    const reason = new Error('enough')
    await expect(store.search(FIRST_AXIS, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(await store.search(FIRST_AXIS, { signal: new AbortController().signal })).toHaveLength(3)
    await store.close()
  })
}
