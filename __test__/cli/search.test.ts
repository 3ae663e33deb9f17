/** `millrace search`: exact cosine over what was embedded, from every kind of index. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { TextEmbedding } from '../../index.js'
import { Top } from '../../src/cli/search/top.js'
import { cli, folder } from './cli.js'

const cwd = folder()
const file = (name: string) => join(cwd, name)
const TEXTS = [
  'Let the sourdough rest overnight in the fridge.',
  'Unmount the partition, then move its end with parted.',
  'The goalkeeper saved two penalties in the final.',
  'The file system must be grown after the partition.',
  'Bond prices fall when yields go up.',
]
const QUERY = 'how do I resize a disk partition'
let expected: { index: number; score: number }[]

beforeAll(async () => {
  const model = await TextEmbedding.create()
  const rows = await model.embed(TEXTS).toArray()
  const [query = new Float32Array()] = await model.queryEmbed(QUERY).toArray()
  await model.close()
  expected = rows
    .map((row, index) => ({ index, score: row.reduce((sum, x, i) => sum + x * (query[i] ?? 0), 0) }))
    .sort((a, b) => b.score - a.score)
  writeFileSync(file('texts.txt'), TEXTS.join('\n'))
  writeFileSync(file('docs.jsonl'), TEXTS.map((text, id) => JSON.stringify({ id, text })).join('\n'))
  const outputs = [
    ['out.npy'],
    ['half.npy', '--dtype', 'float16'],
    ['int8.npy', '--dtype', 'int8'],
    ['uint8.npy', '--dtype', 'uint8'],
    ['out.f32'],
    ['small.npy', '--dimensions', '128'],
    ['raw.npy', '--no-normalize'],
    ['kept.jsonl', '--keep', 'text'],
  ]
  await Promise.all(outputs.map((args) => cli(['embed', 'texts.txt', '-q', '-o', ...args], { cwd })))
})

async function search(...args: string[]) {
  const { code, stdout, stderr } = await cli(['search', '--json', ...args, QUERY], { cwd })
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout.toString()) as {
    rows: number
    results: { rank: number; index: number; score: number; text: string | null }[]
  }
}

describe('the index', () => {
  it.each([
    [['out.npy', '--texts', 'texts.txt'], 1e-6],
    [['out.npy', '--texts', 'docs.jsonl'], 1e-6],
    [['raw.npy', '--texts', 'texts.txt'], 1e-6],
    [['out.f32', '--texts', 'texts.txt'], 1e-6],
    [['kept.jsonl'], 1e-6],
    [['half.npy', '--texts', 'texts.txt'], 1e-3],
    [['int8.npy', '--texts', 'texts.txt'], 1e-2],
    [['uint8.npy', '--texts', 'texts.txt'], 1e-2],
  ])('%j gives the scores of the API', async (args, tolerance) => {
    const { rows, results } = await search('--index', ...args, '--top', '3')
    expect(rows).toBe(TEXTS.length)
    expect(results.map(({ rank }) => rank)).toEqual([1, 2, 3])
    expect(results.map(({ index }) => index)).toEqual(expected.slice(0, 3).map(({ index }) => index))
    for (const [i, { score, index, text }] of results.entries()) {
      expect(Math.abs(score - (expected[i]?.score ?? 9))).toBeLessThan(tolerance)
      expect(text).toBe(TEXTS[index])
    }
  })

  it('may be without texts', async () => {
    const { results } = await search('--index', 'out.npy')
    expect(results).toHaveLength(TEXTS.length)
    expect(results[0]).toMatchObject({ index: expected[0]?.index, text: null })
  })

  it('with fewer dimensions needs the query to have as many', async () => {
    const { results } = await search('--index', 'small.npy', '--dimensions', '128')
    expect(results).toHaveLength(TEXTS.length)
    const { code, stderr } = await cli(['search', '--index', 'small.npy', QUERY], { cwd })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^millrace: INPUT_INVALID: small\.npy holds vectors of 128 values .* makes 384/)
  })

  it('leaves failed rows out', async () => {
    const input = ['"Move its end with parted"', '5', '"Grow the file system"'].join('\n')
    for (const name of ['rows.npy', 'rows.jsonl']) {
      const dtype = name === 'rows.npy' ? 'uint8' : 'float32'
      const args = [
        'embed',
        '-',
        '--format',
        'jsonl',
        '--errors',
        'collect',
        '-q',
        '--dtype',
        dtype,
        '-o',
        name,
      ]
      expect((await cli(args, { cwd, input })).code).toBe(3)
      const { rows, results } = await search('--index', name)
      expect([rows, results.map(({ index }) => index).sort()]).toEqual([3, [0, 2]])
    }
  })

  it.each([
    [
      'cut.npy',
      () => readFileSync(file('out.npy')).subarray(0, -1),
      /Expected 5 rows in cut\.npy but it holds 4/,
    ],
    ['text.npy', () => Buffer.from('no matrix at all'), /text\.npy is no \.npy file/],
    ['odd.f32', () => Buffer.alloc(100), /whole vectors of 384/],
    ['bad.jsonl', () => Buffer.from('{"embedding":[1]}\n'), /bad\.jsonl holds vectors of 1 values/],
    ['none.jsonl', () => Buffer.from('{"text":"a"}\n'), /none\.jsonl:1: Expected a record with an embedding/],
    ['other.npz', () => Buffer.from('PK'), /other\.npz: a \.npz holds sparse or late-interaction vectors/],
    [
      'sparse.jsonl',
      () => Buffer.from('{"indices":[1],"values":[1]}\n'),
      /sparse\.jsonl:1: the record holds a sparse vector, .*dense ones only/,
    ],
    [
      'late.jsonl',
      () => Buffer.from('{"embedding":[[1]]}\n'),
      /late\.jsonl:1: the record holds a vector for each token, .*dense ones only/,
    ],
  ])('that is damaged is an error: %s', async (name, content, message) => {
    writeFileSync(file(name), content())
    const { code, stdout, stderr } = await cli(['search', '--index', name, QUERY], { cwd })
    expect([code, stdout.length]).toEqual([1, 0])
    expect(stderr).toMatch(/^millrace: INPUT_INVALID: [^\n]+\n$/)
    expect(stderr).toMatch(message)
  })
})

describe('the texts', () => {
  it('must be as many as the rows', async () => {
    writeFileSync(file('few.txt'), 'one\ntwo\n')
    const { code, stderr } = await cli(['search', '--index', 'out.npy', '--texts', 'few.txt', QUERY], { cwd })
    expect([code, stderr]).toEqual([
      1,
      'millrace: INPUT_INVALID: Expected 5 texts in few.txt, one a row, but it holds 2\n',
    ])
  })

  it('are printed beside rank and score, the best first', async () => {
    const args = ['search', '--index', 'out.npy', '--texts', 'texts.txt', '-k', '2', ...QUERY.split(' ')]
    const { stdout } = await cli(args, { cwd })
    const [first, second] = expected
    expect(stdout.toString()).toBe(
      `   1   ${first?.score.toFixed(4)} ${TEXTS[first?.index ?? 9]}\n` +
        `   2   ${second?.score.toFixed(4)} ${TEXTS[second?.index ?? 9]}\n`,
    )
  })
})

describe('the best few', () => {
  it('are those of a sort, equal scores in the order of the rows', () => {
    const scores = Array.from({ length: 500 }, (_, i) => ((i * 7919) % 101) / 101)
    const top = new Top(20)
    for (const [index, score] of scores.entries()) top.offer({ index, score })
    top.offer({ index: 500, score: Number.NaN })
    const sorted = scores
      .map((score, index) => ({ index, score }))
      .sort((a, b) => b.score - a.score || a.index - b.index)
    expect(top.hits).toEqual(sorted.slice(0, 20))
  })
})
