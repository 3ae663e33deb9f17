/** `millrace embed`: what goes in, what comes out, and that it is what the API gives. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { TextEmbedding } from '../../index.js'
import { halfTable } from '../../src/cli/half.js'
import { BUNDLED } from '../support/paths.js'
import { cli, folder, records } from './cli.js'
import { floats, readNpy } from './npy-reader.js'

const cwd = folder()
const file = (name: string) => join(cwd, name)
const TEXTS = ['A mill race leads water to the wheel.', '', 'ünïcødé 水車 🎡', 'Short.', 'word '.repeat(400)]
let expected: Float32Array[]

beforeAll(async () => {
  const model = await TextEmbedding.create()
  expected = await model.embed(TEXTS, { overflow: 'truncate' }).toArray()
  await model.close()
  writeFileSync(file('texts.txt'), `${TEXTS.join('\n')}\n`)
  const docs = TEXTS.map((text, i) => JSON.stringify({ id: i, meta: { body: text, lang: 'en' } }))
  writeFileSync(file('docs.jsonl'), `${docs.join('\n\n')}\n`)
})

const flat = (rows: readonly Float32Array[]) => Float32Array.from(rows.flatMap((row) => [...row]))

describe('input', () => {
  it.each([
    ['lines', () => Buffer.from(TEXTS.join('\n'))],
    ['lines with CRLF and a byte order mark', () => Buffer.from(`\ufeff${TEXTS.join('\r\n')}\r\n`)],
    ['gzip', () => gzipSync(TEXTS.join('\n'))],
    [
      'two gzip members',
      () => Buffer.concat([gzipSync(`${TEXTS[0]}\n`), gzipSync(TEXTS.slice(1).join('\n'))]),
    ],
  ])('from standard input: %s', async (_name, input) => {
    const result = await cli(['embed', '-', '--to', 'f32', '-q'], { cwd, input: input() })
    expect(result).toMatchObject({ code: 0, stderr: '' })
    expect(floats({ descr: '', shape: [], data: result.stdout })).toEqual(flat(expected))
  })

  it('from several files, JSON lines by name, with fields kept', async () => {
    writeFileSync(file('docs.jsonl.gz'), gzipSync(readFileSync(file('docs.jsonl'))))
    const args = [
      'embed',
      'docs.jsonl',
      'docs.jsonl.gz',
      '--field',
      'meta.body',
      '--keep',
      'id,meta.lang,none',
    ]
    const { code, stdout } = await cli(args, { cwd })
    expect(code).toBe(0)
    const rows = records(stdout)
    expect(rows.map(({ index, id }) => [index, id])).toEqual(
      [...rows.keys()].map((i) => [i, i % TEXTS.length]),
    )
    expect(rows.map(({ truncated }) => truncated)).toEqual(
      [...expected, ...expected].map((_, i) => i % 5 === 4),
    )
    expect(rows[7]).toMatchObject({ 'meta.lang': 'en', none: null })
    expect(rows[7].tokens).toBeGreaterThan(2)
    rows.forEach((row, i) => {
      expect(Float32Array.from(row.embedding)).toEqual(expected[i % TEXTS.length])
    })
  })

  it('that is one byte at a time', async () => {
    async function* bytes() {
      yield* 'first line\nsecond'
    }
    const { stdout } = await cli(['embed', '-', '--keep', 'text'], { cwd, input: bytes() })
    expect(records(stdout).map(({ text }) => text)).toEqual(['first line', 'second'])
  })

  it('up to a limit', async () => {
    const { stdout } = await cli(['embed', 'texts.txt', '--limit', '2'], { cwd })
    expect(records(stdout)).toHaveLength(2)
  })
})

describe('output', () => {
  it('as .npy holds the vectors of the API', async () => {
    const result = await cli(['embed', 'texts.txt', '-o', 'out.npy', '--json'], { cwd })
    expect(result.code).toBe(0)
    const npy = readNpy(readFileSync(file('out.npy')))
    expect(npy).toMatchObject({ descr: '<f4', shape: [TEXTS.length, 384] })
    expect(floats(npy)).toEqual(flat(expected))
    const summary = JSON.parse(result.stdout.toString())
    expect(summary).toMatchObject({ texts: 5, truncated: 1, errors: 0, output: 'out.npy', dim: 384 })
    expect(summary.tokens).toBeGreaterThan(256)
    expect(summary.textsPerSecond * summary.seconds).toBeCloseTo(5, 0)
    expect(summary.tokensPerSecond).toBeGreaterThan(summary.textsPerSecond)
    expect(summary.paddingShare).toBeLessThan(1)
    expect(summary.peakRss).toBeGreaterThan(50 * 1024 * 1024)
    expect(readdirSync(cwd).filter((name) => name.endsWith('.partial'))).toEqual([])
  })

  it('as .npy goes through a pipe', async () => {
    const { stdout } = await cli(['embed', 'texts.txt', '--to', 'npy', '-q'], { cwd })
    expect(floats(readNpy(stdout))).toEqual(flat(expected))
  })

  it('as .npy of no texts is an empty matrix', async () => {
    const { code, stdout } = await cli(['embed', '-', '--to', 'npy', '-q'], { cwd, input: '' })
    expect([code, readNpy(stdout).shape]).toEqual([0, [0, 384]])
  })

  it.each([
    ['float16', '<f2', 384],
    ['binary', '|i1', 48],
    ['ubinary', '|u1', 48],
  ])('as %s', async (dtype, descr, width) => {
    await cli(['embed', 'texts.txt', '-o', `${dtype}.npy`, '--dtype', dtype, '-q'], { cwd })
    const npy = readNpy(readFileSync(file(`${dtype}.npy`)))
    expect(npy).toMatchObject({ descr, shape: [5, width] })
    if (dtype !== 'float16') return
    flat(expected).forEach((x, i) => {
      expect(Math.abs((halfTable()[npy.data.readUInt16LE(i * 2)] ?? 1) - x)).toBeLessThanOrEqual(2 ** -12)
    })
  })

  it.each(['int8', 'uint8'])('as %s, with the scales beside it', async (dtype) => {
    await cli(['embed', 'texts.txt', '-o', `${dtype}.npy`, '--dtype', dtype, '-q'], { cwd })
    const npy = readNpy(readFileSync(file(`${dtype}.npy`)))
    const scales = readNpy(readFileSync(file(`${dtype}.scales.npy`)))
    expect([npy.shape, scales.shape]).toEqual([
      [5, 384],
      [5, 1],
    ])
    flat(expected).forEach((x, i) => {
      const level = dtype === 'int8' ? npy.data.readInt8(i) : npy.data.readUInt8(i) - 128
      const scale = floats(scales)[Math.floor(i / 384)] ?? 0
      expect(Math.abs(level * scale - x)).toBeLessThanOrEqual(scale * 0.51)
    })
  })

  it('takes the place of what was there only when it is whole', async () => {
    writeFileSync(file('kept.npy'), 'old')
    const args = ['embed', 'texts.txt', '-o', 'kept.npy', '--overflow', 'error']
    const { code, stderr } = await cli(args, { cwd })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^millrace: INPUT_TOO_LONG: texts\.txt:5: /)
    expect(readFileSync(file('kept.npy'), 'utf8')).toBe('old')
    expect(readdirSync(cwd).filter((name) => name.includes('partial'))).toEqual([])
  })
})

describe('the model', () => {
  it('takes the options of the API', async () => {
    const args = [
      'embed',
      'texts.txt',
      '--prompt',
      'query: ',
      '--dimensions',
      '64',
      '--max-length',
      '8',
      '--json',
    ]
    const more = [
      '--threads',
      '1',
      '--parallel',
      'none',
      '--batch-size',
      '2',
      '--device',
      'auto',
      '-o',
      'small.npy',
    ]
    const { code, stdout } = await cli([...args, ...more], { cwd })
    expect(code).toBe(0)
    const model = await TextEmbedding.create({ maxLength: 8 })
    const options = { overflow: 'truncate', prompt: 'query: ', dimensions: 64 } as const
    const wanted = await model.embed(TEXTS, options).toMatrix()
    await model.close()
    const npy = readNpy(readFileSync(file('small.npy')))
    expect(npy.shape).toEqual([5, 64])
    expect(floats(npy)).toEqual(wanted.data)
    const truncated = wanted.truncated.filter((flag) => flag === 1).length
    expect(truncated).toBeGreaterThan(1)
    expect(JSON.parse(stdout.toString())).toMatchObject({ dim: 64, truncated })
  })

  it('may be a directory', async () => {
    const args = [
      'embed',
      'texts.txt',
      '--model-path',
      BUNDLED,
      '--model-file',
      'model_w8.onnx',
      '--to',
      'f32',
      '-q',
    ]
    const { code, stdout } = await cli(args, { cwd })
    expect(code).toBe(0)
    expect(floats({ descr: '', shape: [], data: stdout })).toEqual(flat(expected))
  })
})
