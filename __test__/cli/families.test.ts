/** `millrace embed --family`: what each family writes is what its class gives, in every format. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  LateInteractionMultimodalEmbedding,
  LateInteractionTextEmbedding,
  SparseTextEmbedding,
  TextEmbedding,
} from '../../index.js'
import { GOLDENS, goldenModel } from '../support/paths.js'
import { furthest } from '../support/vectors.js'
import { cli, folder, records } from './cli.js'
import { floats, numbers, readNpy, readNpz } from './npy-reader.js'

const cwd = folder()
const file = (name: string) => join(cwd, name)
const TEXTS = ['The water wheel of the mill', '', 'Die Mühlen mahlen langsam', 'token '.repeat(80).trim()]
const IMAGES = ['rgb.png', 'baseline.jpg', 'wide.png'].map((name) => join(GOLDENS, 'images', name))

beforeAll(() => {
  writeFileSync(file('texts.txt'), `${TEXTS.join('\n')}\n`)
  writeFileSync(file('words.txt'), 'the\nof wheel\n')
})

/** Runs and reads the output back. */
async function embed(args: readonly string[], output: string): Promise<Buffer> {
  const { code, stderr } = await cli(['embed', ...args, '-o', output, '-q'], { cwd })
  expect([code, stderr]).toEqual([0, ''])
  return readFileSync(file(output))
}

describe('sparse', () => {
  type Options = Parameters<typeof SparseTextEmbedding.create>[0]
  const splade = { modelPath: goldenModel('splade') }
  const minicoil = { modelPath: goldenModel('minicoil'), kind: 'minicoil' } as const
  const cases: [name: string, args: string[], options: Options, role?: 'query'][] = [
    ['bm25', [], {}],
    ['bm25-query', ['--query'], {}, 'query'],
    [
      'bm25-options',
      ['--language', 'german', '--k', '2', '--b', '0.5', '--avg-len', '3', '--token-max-length', '6'],
      { language: 'german', k: 2, b: 0.5, avgLen: 3, tokenMaxLength: 6 },
    ],
    [
      'bm25-words',
      ['--disable-stemmer', '--stopwords', 'words.txt'],
      { disableStemmer: true, stopwords: ['the', 'of', 'wheel'] },
    ],
    ['splade', ['--model-path', splade.modelPath, '--max-length', '9'], { ...splade, maxLength: 9 }],
    ['minicoil', ['--model-path', minicoil.modelPath, '--kind', 'minicoil', '--passage'], minicoil],
  ]

  it.each(cases)('%s', async (name, args, options, role) => {
    await using model = await SparseTextEmbedding.create(options)
    const call = { overflow: 'truncate' } as const
    const stream = role === 'query' ? model.queryEmbed(TEXTS, call) : model.embed(TEXTS, call)
    const wanted = await stream.toMatrix()
    expect(wanted.indices.length).toBeGreaterThan(4)

    const npz = readNpz(await embed(['--family', 'sparse', 'texts.txt', ...args], `${name}.npz`))
    expect(Object.keys(npz).sort()).toEqual(['data', 'format', 'indices', 'indptr', 'shape'])
    const { data, format, indices, indptr, shape } = npz as Record<string, ReturnType<typeof readNpy>>
    expect(data && numbers(data)).toEqual([...wanted.values])
    expect(indices && numbers(indices)).toEqual([...wanted.indices])
    expect(indptr && numbers(indptr)).toEqual([...wanted.rowOffsets])
    expect(shape && numbers(shape)).toEqual([TEXTS.length, 2 ** 32])
    expect([format?.shape, String(format?.data)]).toEqual([[], 'csr'])

    const rows = records(await embed(['--family', 'sparse', 'texts.txt', ...args], `${name}.jsonl`))
    expect(rows).toEqual(
      TEXTS.map((_, i) => ({
        index: i,
        tokens: wanted.tokens[i],
        truncated: wanted.truncated[i] === 1,
        indices: [...wanted.row(i).indices],
        values: [...wanted.row(i).values],
      })),
    )
  })
})

describe('vectors for each token', () => {
  const colbert = goldenModel('colbert')
  const pages = goldenModel('colmodernvbert')
  const late = async (role: 'embed' | 'queryEmbed') => {
    await using model = await LateInteractionTextEmbedding.create({ modelPath: colbert })
    return await model[role](TEXTS, { overflow: 'truncate' }).toMatrix()
  }
  const multimodal = async (of: 'text' | 'images') => {
    await using model = await LateInteractionMultimodalEmbedding.create({ modelPath: pages })
    const ofText = () => model.embedText(TEXTS, { overflow: 'truncate' })
    return await (of === 'text' ? ofText() : model.embedImage(IMAGES)).toMatrix()
  }
  const cases = [
    [
      'documents',
      ['texts.txt', '--family', 'late-interaction', '--model-path', colbert],
      () => late('embed'),
    ],
    [
      'queries',
      ['texts.txt', '--family', 'colbert', '--model-path', colbert, '--query'],
      () => late('queryEmbed'),
    ],
    ['pages', [...IMAGES, '--family', 'multimodal', '--model-path', pages], () => multimodal('images')],
    [
      'questions',
      ['texts.txt', '--family', 'multimodal', '--model-path', pages, '--text'],
      () => multimodal('text'),
    ],
  ] as const

  it.each(cases)('%s', async (name, args, api) => {
    const wanted = await api()
    // What runs together with an image changes the last bits of sums; texts are bit-equal.
    const near = name === 'pages' ? 1e-5 : Number.MIN_VALUE
    const { data, row_offsets, ...rest } = readNpz(await embed(args, `${name}.npz`))
    expect(rest).toEqual({})
    expect(data).toMatchObject({ descr: '<f4', shape: [wanted.data.length / wanted.dim, wanted.dim] })
    expect(furthest(floats(data ?? expect.fail()), wanted.data)).toBeLessThan(near)
    expect(row_offsets && numbers(row_offsets)).toEqual([...wanted.rowOffsets])

    const rows = records(await embed(args, `${name}.jsonl`))
    expect(rows.map(({ index }) => index)).toEqual([...rows.keys()])
    rows.forEach((row, i) => {
      const vectors = wanted.row(i)
      expect(row.embedding).toHaveLength(vectors.length)
      vectors.forEach((vector, k) => {
        expect(furthest(row.embedding[k], vector)).toBeLessThan(near)
      })
      if (name === 'pages') expect(row).toMatchObject({ path: IMAGES[i] })
      else expect(row).toMatchObject({ tokens: wanted.tokens[i], truncated: wanted.truncated[i] === 1 })
    })
  })
})

describe('dense text', () => {
  it.each(['0', '3'])('of task %s', async (task) => {
    const modelPath = goldenModel('jina_v3')
    await using model = await TextEmbedding.create({ modelPath, pooling: 'mean' })
    const wanted = await model.embed(TEXTS, { overflow: 'truncate', taskId: Number(task) }).toMatrix()
    const npy = readNpy(
      await embed(
        ['texts.txt', '--model-path', modelPath, '--pooling', 'mean', '--task-id', task],
        'task.npy',
      ),
    )
    expect(floats(npy)).toEqual(wanted.data)
  })

  it("writes the model's own prompts for roles, unless refused", async () => {
    // The name brings the prompts of its card, and its pooling, to whatever directory.
    const [model, modelPath] = ['BAAI/bge-small-en-v1.5', goldenModel('minilm')]
    const { prompts } = TextEmbedding.listSupportedModels().find((listed) => listed.model === model) ?? {}
    const { query = expect.fail(), passage } = prompts ?? {}
    expect(passage).toBeUndefined()
    await using plain = await TextEmbedding.create({ model, modelPath })
    const vectors = async (prompt: string) =>
      (await plain.embed(TEXTS, { overflow: 'truncate', prompt }).toMatrix()).data
    const [bare, prompted] = [await vectors(''), await vectors(query)]
    expect(bare).not.toEqual(prompted)
    const args = ['texts.txt', '--model', model, '--model-path', modelPath]
    const asked = async (...more: string[]) => floats(readNpy(await embed([...args, ...more], 'prompt.npy')))
    expect(await asked('--query')).toEqual(prompted)
    expect(await asked('--passage')).toEqual(bare)
    expect(await asked('--query', '--prompts', 'none')).toEqual(bare)
    expect(await asked()).toEqual(bare)
  })
})

describe('the family', () => {
  it('is that of the model that is named, and that is said', async () => {
    const { code, stdout, stderr } = await cli(['embed', 'texts.txt', '--model', 'qdrant/BM25'], { cwd })
    expect(code).toBe(0)
    expect(records(stdout)[0].indices).toHaveLength(3)
    expect(stderr).toMatch(/^millrace: qdrant\/BM25 makes sparse vectors: --family sparse\n4 texts in /)
  })

  it('is told in the summary', async () => {
    const args = ['embed', 'texts.txt', '--family', 'sparse', '-o', 'summary.npz', '--json']
    const summary = JSON.parse(String((await cli(args, { cwd })).stdout))
    expect(summary).toMatchObject({
      family: 'sparse',
      model: 'Qdrant/bm25',
      texts: 4,
      errors: 0,
      format: 'npz',
    })
    expect(summary).not.toHaveProperty('dim')
  })
})

describe('a .npz', () => {
  it('goes through a pipe, also of no texts', async () => {
    const args = ['embed', '-', '--family', 'sparse', '--to', 'npz', '-q']
    const some = readNpz((await cli(args, { cwd, input: 'water mill\n' })).stdout)
    expect([some['data']?.shape, some['indptr'] && numbers(some['indptr'])]).toEqual([[2], [0, 2]])
    const none = readNpz((await cli(args, { cwd, input: '' })).stdout)
    expect([none['data']?.shape, none['indptr'] && numbers(none['indptr'])]).toEqual([[0], [0]])
  })

  it('has no elements of failed rows', async () => {
    const input = '"mill"\n5\n"water wheel"\n!\n'
    const args = ['embed', '-', '--format', 'jsonl', '--errors', 'collect', '-q']
    const sparse = await cli([...args, '--family', 'sparse', '--to', 'npz'], { cwd, input })
    expect(sparse.code).toBe(3)
    expect(numbers(readNpz(sparse.stdout)['indptr'] ?? expect.fail())).toEqual([0, 1, 1, 3, 3])
    const path = ['--model-path', goldenModel('colbert')]
    const late = readNpz(
      (await cli([...args, '--family', 'colbert', ...path, '--to', 'npz'], { cwd, input })).stdout,
    )
    await using model = await LateInteractionTextEmbedding.create({ modelPath: goldenModel('colbert') })
    const wanted = await model.embed(['mill', 'water wheel']).toMatrix()
    const [, first = 0, second = 0] = wanted.rowOffsets
    expect(numbers(late['row_offsets'] ?? expect.fail())).toEqual([0, first, first, second, second])
    expect(floats(late['data'] ?? expect.fail())).toEqual(wanted.data)
  })

  it('is the same for the same input', async () => {
    const args = ['--family', 'sparse', 'texts.txt']
    expect(await embed(args, 'one.npz')).toEqual(await embed(args, 'two.npz'))
  })

  it('leaves nothing of itself after an interrupt', async () => {
    const own = folder()
    async function* endless() {
      for (;;) {
        yield 'the mill race leads water\n'.repeat(100)
        await sleep(5)
      }
    }
    let during: string[] = []
    const result = await cli(['embed', '-', '--family', 'sparse', '-o', 'out.npz'], {
      cwd: own,
      input: endless(),
      async onStart(child) {
        while (readdirSync(own).length < 4 && child.exitCode === null) await sleep(10)
        await sleep(300) // into the run
        during = readdirSync(own)
        child.kill('SIGINT')
      },
    })
    expect(during).toHaveLength(4) // the archive, and data, indices, indptr
    expect([result.code, result.stderr, readdirSync(own)]).toEqual([130, '', []])
  })
})
