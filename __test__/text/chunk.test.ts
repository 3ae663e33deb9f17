/** Chunks: lossless, counted as embedding counts, with offsets of JavaScript's strings. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TextChunker, type TextChunkerOptions, TextEmbedding } from '../../index.js'

let model: TextEmbedding

beforeAll(async () => {
  model = await TextEmbedding.create()
})

afterAll(() => model.close())

const TEXT =
  'Dr. Miller measured the millrace. It carries water to the wheel! Does it ever stop?\n\nNo: the sluice 🌊 is open. ' +
  'Ein zweiter Absatz, z.B. mit Umlauten wie ä und ö, geht weiter. The end.'

describe('by sentence', () => {
  it('packs whole sentences into the budget', async () => {
    const chunker = await TextChunker.create({ maxTokens: 20 })
    expect(chunker.maxTokens).toBe(20)
    const chunks = await chunker.chunk(TEXT)
    expect(chunks.map((chunk) => chunk.text).join('')).toBe(TEXT)
    expect(chunks[0]?.text).toBe('Dr. Miller measured the millrace. It carries water to the wheel! ')
    for (const { text, start, end, tokens, headings } of chunks) {
      expect(TEXT.slice(start, end)).toBe(text)
      expect(tokens).toBeLessThanOrEqual(20)
      expect(tokens).toBe(await model.tokenCount([text]))
      expect(headings).toEqual([])
    }
  })

  it('begins with the end of the chunk before', async () => {
    const chunker = await TextChunker.create({ maxTokens: 24, overlap: 8 })
    const chunks = await chunker.chunk(TEXT)
    const overlaps = chunks.slice(1).map(({ start }, i) => (chunks[i]?.end ?? 0) - start)
    expect(overlaps.every((overlap) => overlap >= 0)).toBe(true)
    expect(overlaps.some((overlap) => overlap > 0)).toBe(true)
  })

  it('counts a prefix', async () => {
    const chunker = await TextChunker.create({ maxTokens: 16, prefix: 'passage: ' })
    for (const { text, tokens } of await chunker.chunk(TEXT)) {
      expect(tokens).toBe(await model.tokenCount([text], { prompt: 'passage: ' }))
    }
  })

  it("takes the model's limit by default", async () => {
    expect((await TextChunker.create()).maxTokens).toBe((await model.info()).maxLength)
  })
})

it('keeps the path of headings', async () => {
  const markdown = 'intro\n\n# Guide\n\ntext 🌊\n\n## Install\n\n- one\n- two\n'
  const chunks = await (await TextChunker.create({ by: 'markdown' })).chunk(markdown)
  expect(chunks.map(({ text, headings }) => [text, headings])).toEqual([
    ['intro\n\n', []],
    ['# Guide\n\ntext 🌊\n\n', ['Guide']],
    ['## Install\n\n- one\n- two\n', ['Guide', 'Install']],
  ])
})

it('chunks several texts at once', async () => {
  const chunker = await TextChunker.create({ maxTokens: 12 })
  const texts = [TEXT, '', 'one two']
  const all = await chunker.chunkBatch(texts)
  expect(all).toEqual(await Promise.all(texts.map((text) => chunker.chunk(text))))
  expect(all.map((chunks) => chunks.length > 0)).toEqual([true, false, true])
})

it('covers any string, lone surrogates too', async () => {
  const chunkers = await Promise.all(
    (['sentence', 'markdown', 'tokens'] as const).map((by) => TextChunker.create({ by, maxTokens: 8 })),
  )
  const odd = fc.constantFrom('\ud83c', '\udf0a', '🌊', 'é', '\0', '\r\n', '. ', '# ', 'word ', '👨‍👩‍👧')
  const anything = fc
    .array(fc.oneof(odd, fc.string({ unit: 'binary' })), { maxLength: 40 })
    .map((all) => all.join(''))
  await fc.assert(
    fc.asyncProperty(anything, async (text) => {
      for (const chunker of chunkers) {
        const chunks = await chunker.chunk(text)
        expect(chunks.map((chunk) => chunk.text).join('')).toBe(text)
        expect(
          chunks.every(({ text: part, start, end }) => part !== '' && text.slice(start, end) === part),
        ).toBe(true)
        // Nothing is torn: there are as many lone surrogates as before.
        const lone = (value: string) => value.match(/\p{Surrogate}/gu)?.length ?? 0
        const torn = chunks.reduce((sum, chunk) => sum + lone(chunk.text), 0)
        expect(torn).toBe(lone(text))
      }
    }),
    { numRuns: 150 },
  )
})

it('leaves the event loop free', async () => {
  const chunker = await TextChunker.create({ maxTokens: 64 })
  const text = TEXT.repeat(800)
  await chunker.chunk(TEXT)
  const pending = chunker.chunk(text)
  let turns = 0
  let last = performance.now()
  let longest = 0
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    turns++
  }, 1)
  last = performance.now()
  const started = last
  await pending
  clearInterval(timer)
  expect(turns).toBeGreaterThan(5)
  expect(longest).toBeLessThan((performance.now() - started) / 2)
})

describe('errors', () => {
  const create = (options: unknown) => TextChunker.create(options as TextChunkerOptions)

  it.each([
    [{ maxTokens: 0 }, 'INVALID_OPTION', 'Expected positive integer for maxTokens'],
    [{ maxTokens: 2 }, 'INVALID_OPTION', 'Expected more than 2 for maxTokens'],
    [{ maxTokens: 100_000 }, 'INVALID_OPTION', 'Expected at most 512 for maxTokens'],
    [{ maxTokens: 10, overlap: 8 }, 'INVALID_OPTION', 'Expected less than 8 for overlap'],
    [{ overlap: -1 }, 'INVALID_OPTION', 'Expected integer from 0 for overlap'],
    [{ by: 'words' }, 'INVALID_OPTION', "Expected one of 'sentence', 'markdown', 'tokens' for by"],
    [{ chunkSize: 10 }, 'INVALID_OPTION', "received 'chunkSize'"],
    [{ model: 'no/such' }, 'MODEL_NOT_FOUND', 'no/such'],
    [{ modelPath: '/no/such/dir' }, 'MODEL_NOT_FOUND', '/no/such/dir'],
  ])('%j', async (options, code, message) => {
    await expect(create(options)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
  })

  it('refuses what is no text', async () => {
    const chunker = await TextChunker.create()
    await expect(chunker.chunk(7 as never)).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    await expect(chunker.chunkBatch(['a', null as never])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      index: 1,
    })
  })
})
