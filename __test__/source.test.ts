/** Each kind of source, read through the same door. */

import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { imageItems } from '../src/stream/image-items.js'
import { pairs, texts } from '../src/stream/items.js'
import { checkSource, knownTotal, openSource } from '../src/stream/source.js'

async function readAll(source: unknown, limit = 5): Promise<unknown[]> {
  checkSource(source, texts)
  const reader = openSource(source, texts)
  const items: unknown[] = []
  for (;;) {
    const slice = await reader.read(limit)
    expect(slice.items.length).toBeLessThanOrEqual(limit)
    items.push(...slice.items)
    if (slice.done) return items
    expect(slice.items.length).toBeGreaterThan(0)
  }
}

const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
async function* generate() {
  yield* letters
}

describe('a source', () => {
  const web = () =>
    new ReadableStream({
      start(controller) {
        for (const letter of letters) controller.enqueue(letter)
        controller.close()
      },
    })

  it.each<[string, () => unknown]>([
    ['an array', () => letters],
    ['a set', () => new Set(letters)],
    ['an async generator', generate],
    ['a stream of Node', () => Readable.from(letters)],
    ['lines', () => createInterface({ input: Readable.from([letters.join('\n')]) })],
    ['a web stream', web],
    ['a web stream without an async iterator', () => ({ getReader: () => web().getReader() })],
  ])('is %s', async (_, source) => {
    expect(await readAll(source())).toEqual(letters)
  })

  it('is one text when it is a string', async () => {
    expect(await readAll('héllo')).toEqual(['héllo'])
    expect(knownTotal('héllo', texts)).toBe(1)
  })

  // Helpers for templates make such strings, and iterating one would embed its letters.
  it('is one text when it is a String object', async () => {
    const text = Object('héllo')
    expect(await readAll(text)).toEqual([text])
    expect(texts.encode(text)).toBe('héllo')
    expect(knownTotal(text, texts)).toBe(1)
    expect(pairs.encode([text, 'x'])).toEqual(['héllo', 'x'])
  })

  it('is not a stream of pieces of a file', () => {
    const stream = createReadStream(import.meta.filename, 'utf8')
    const refused = () => checkSource(stream, texts)
    expect(refused).toThrow(/createInterface/)
    expect(refused).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }))
    expect(() => checkSource(process.stdin, texts)).toThrow(/createInterface/)
    expect(() => checkSource(stream, imageItems())).toThrow(/buffer\(stream\)/)
    stream.destroy()
  })

  it('has a known length only as an array', () => {
    expect([
      knownTotal(letters, texts),
      knownTotal(new Set(letters), texts),
      knownTotal(generate(), texts),
    ]).toEqual([7, undefined, undefined])
  })

  it.each([7, null, undefined, {}, Symbol('s'), () => 1])('is not %o', (value) => {
    expect(() => checkSource(value, texts)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }))
  })
})

describe('stopping', () => {
  it('returns a generator once, and not after its end', async () => {
    let released = 0
    function* source() {
      try {
        yield* letters
      } finally {
        released++
      }
    }
    const reader = openSource(source(), texts)
    await reader.read(2)
    await reader.stop()
    await reader.stop()
    expect(released).toBe(1)
    const ended = openSource(source(), texts)
    await ended.read(100)
    await ended.stop()
    expect(released).toBe(2)
  })

  it('unlocks a web stream at its end and when stopped', async () => {
    const ended = new ReadableStream({ start: (controller) => controller.close() })
    await openSource(ended, texts).read(1)
    expect(ended.locked).toBe(false)
    const stopped = new ReadableStream()
    await openSource(stopped, texts).stop()
    expect(stopped.locked).toBe(false)
  })
})
