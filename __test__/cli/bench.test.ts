/** `millrace bench`: what is measured, as tables, JSON and a chart. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { recallOf } from '../../src/cli/bench/recall.js'
import { texts } from '../support/texts.mjs'
import { cli, folder } from './cli.js'

const cwd = folder()
writeFileSync(join(cwd, 'texts.txt'), [...texts(60, { least: 5, most: 20, seed: 4 })].join('\n'))

describe('bench recall', () => {
  it('measures every format', async () => {
    const args = [
      'bench',
      'recall',
      'texts.txt',
      '--queries',
      '12',
      '-k',
      '5',
      '--oversample',
      '11',
      '--json',
    ]
    const { code, stdout, stderr } = await cli(args, { cwd })
    expect([code, stderr]).toEqual([0, ''])
    const { formats, ...facts } = JSON.parse(stdout.toString())
    expect(facts).toEqual({ texts: 60, dimensions: 384, queries: 12, top: 5, oversample: 11 })
    const row = (name: string) => formats.find((format: { name: string }) => format.name === name)
    expect(row('float32')).toMatchObject({ recall: 1, bytes: 60 * 384 * 4 })
    expect(row('int8').bytes).toBe(60 * (384 + 4))
    expect(row('binary').bytes).toBe(60 * 48)
    // More candidates than rows: rescoring is exact.
    expect(row('binary + float32')).toMatchObject({ recall: 1, dtype: 'ubinary', rescore: 'float32' })
    expect(row('int8').recall).toBeGreaterThan(0.9)
    for (const { recall, searchMs } of formats) {
      expect(recall).toBeGreaterThan(0)
      expect(recall).toBeLessThanOrEqual(1)
      expect(searchMs).toBeGreaterThan(0)
    }
  })

  it('prints a table', async () => {
    const args = ['bench', 'recall', 'texts.txt', '--limit', '20', '--queries', '3', '-k', '2']
    const { code, stdout } = await cli(args, { cwd })
    expect(code).toBe(0)
    expect(stdout.toString()).toMatch(
      /^20 texts, 384 dimensions, 3 queries, oversample 4\n\nformat +recall@2 +MiB +ms\n/,
    )
    expect(stdout.toString()).toMatch(/\nfloat32 +100\.0 % +0\.03 +\d+\.\d{3}\n/)
    expect(stdout.toString().split('\n')).toHaveLength(13)
  })

  it('needs texts', async () => {
    writeFileSync(join(cwd, 'one.txt'), 'a\n')
    const { code, stderr } = await cli(['bench', 'recall', 'one.txt'], { cwd })
    expect([code, stderr.split('\n').at(-2)]).toEqual([
      2,
      'millrace: INVALID_OPTION: Expected at least 2 texts but received 1',
    ])
    expect((await cli(['bench', 'recall', 'none.txt'], { cwd })).stderr).toMatch(/^millrace: ENOENT/)
  })
})

describe('recall', () => {
  it('is the share of what is expected that is found', () => {
    const sets = (...rows: number[][]) => rows.map((row) => new Set(row))
    expect(recallOf(sets([1, 2], [3, 4]), sets([2, 9], [4, 3]))).toBe(0.75)
    expect(recallOf(sets([], []), sets([1], []))).toBe(1)
  })
})

describe('bench speed', () => {
  it('measures throughput, latency, memory and caches, and draws them', async () => {
    const args = ['bench', 'speed', 'texts.txt', '--rounds', '1', '--seconds', '2']
    const json = await cli([...args, '--json', '--chart', 'speed.svg'], { cwd })
    expect([json.code, json.stderr]).toEqual([0, ''])
    const result = JSON.parse(json.stdout.toString())
    expect(result).toMatchObject({ texts: 60, rounds: 1, model: 'sentence-transformers/all-MiniLM-L6-v2' })
    for (const { p50, p95, p99 } of [result.idleQuery, result.busyQuery, result.eventLoop]) {
      expect(p50).toBeLessThanOrEqual(p95)
      expect(p95).toBeLessThanOrEqual(p99)
    }
    expect(result.cache.memory).toBeGreaterThan(result.cache.cold)
    expect(result.peakMemory).toBeGreaterThan(result.weights)
    const svg = readFileSync(join(cwd, 'speed.svg'), 'utf8')
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
    expect(svg).toContain(`${Math.round(result.textsPerSecond).toLocaleString('en-US')} texts/s`)
    const table = await cli(args, { cwd })
    expect(table.stdout.toString()).toContain('query beside bulk work')
    const few = await cli(['bench', 'speed', 'texts.txt', '--limit', '3'], { cwd })
    expect(few).toMatchObject({ code: 2, stderr: expect.stringContaining('at least 32 texts') })
  })
})
