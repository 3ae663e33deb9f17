/** `millrace chunk`: files and records to JSON lines with offsets. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { cli, folder, records } from './cli.js'

const cwd = folder()
const TEXT = 'One two three 🌊. Four five six seven. Eight nine ten eleven twelve.\n'
const MARKDOWN = 'intro\n\n# Guide\n\ntext\n\n## Install\n\n- one\n'
const file = (name: string, content: string | Buffer) => writeFileSync(join(cwd, name), content)
file('a.txt', TEXT)
file('b.txt.gz', gzipSync(TEXT))
file('doc.md', MARKDOWN)
file('page.html', '<h1>Head</h1><p>It\u2019s  <b>fine</b>.</p>')
file('docs.jsonl', '{"id":1,"body":{"text":"One two."}}\n{"id":2,"body":{"text":"Three four."}}\n')

async function chunk(...args: string[]) {
  const { code, stdout, stderr } = await cli(['chunk', ...args], { cwd })
  expect([code, stderr]).toEqual([0, ''])
  return records(stdout)
}

it('cuts a file into chunks that are the file', async () => {
  const chunks = await chunk('a.txt', '--max-tokens', '12')
  expect(chunks.length).toBeGreaterThan(1)
  expect(chunks.map(({ text }) => text).join('')).toBe(TEXT)
  for (const { source, start, end, tokens, text } of chunks) {
    expect([source, TEXT.slice(start, end)]).toEqual(['a.txt', text])
    expect(tokens).toBeLessThanOrEqual(12)
  }
})

it('reads several files, gzip and standard input alike', async () => {
  const chunks = await chunk('a.txt', 'b.txt.gz')
  const { stdout } = await cli(['chunk', '-'], { cwd, input: TEXT })
  expect([...chunks, ...records(stdout)].map(({ source, text }) => [source, text])).toEqual([
    ['a.txt', TEXT],
    ['b.txt.gz', TEXT],
    ['stdin', TEXT],
  ])
})

it('keeps headings by markdown', async () => {
  const chunks = await chunk('doc.md', '--by', 'markdown')
  expect(chunks.map(({ headings }) => headings)).toEqual([undefined, ['Guide'], ['Guide', 'Install']])
  expect(chunks.map(({ text }) => text).join('')).toBe(MARKDOWN)
})

it('takes markup away and cleans', async () => {
  expect((await chunk('page.html', '--html')).map(({ text }) => text)).toEqual(['Head\n\nIt\u2019s fine.'])
  expect((await chunk('page.html', '--html', '--clean')).map(({ text }) => text)).toEqual([
    "Head\n\nIt's fine.",
  ])
  expect((await chunk('doc.md', '--markdown')).map(({ text }) => text)).toEqual([
    'intro\n\nGuide\n\ntext\n\nInstall\n\n- one',
  ])
})

it('takes the field of records and keeps others', async () => {
  const chunks = await chunk('docs.jsonl', '--field', 'body.text', '--keep', 'id', '--overlap', '1')
  expect(chunks).toEqual([
    { id: 1, source: 'docs.jsonl:1', start: 0, end: 8, tokens: 5, text: 'One two.' },
    { id: 2, source: 'docs.jsonl:2', start: 0, end: 11, tokens: 5, text: 'Three four.' },
  ])
})

it('writes a file that embed reads', async () => {
  await cli(['chunk', 'a.txt', '--by', 'tokens', '--max-tokens', '8', '-o', 'chunks.jsonl'], { cwd })
  const written = records(readFileSync(join(cwd, 'chunks.jsonl')))
  const { code, stdout } = await cli(['embed', 'chunks.jsonl', '-q', '--to', 'jsonl', '--keep', 'start'], {
    cwd,
  })
  expect([code, records(stdout).map(({ start }) => start)]).toEqual([0, written.map(({ start }) => start)])
})

describe('errors', () => {
  file('bad.txt', Buffer.from([0x41, 0xc3, 0x28]))
  file('bad.jsonl', '{"text":1}\n')

  it.each([
    [['a.txt', '--max-tokens', '0'], 2, 'max-tokens'],
    [['a.txt', '--max-tokens', '2'], 2, 'maxTokens'],
    [['doc.md', '--by', 'markdown', '--markdown'], 2, '--by markdown'],
    [['doc.md', '--html', '--markdown'], 2, 'cannot be used with'],
    [['a.txt', '--overlap', 'x'], 2, 'overlap'],
    [['no-such.txt'], 1, 'ENOENT'],
    [['bad.txt'], 1, 'bad.txt:1: the bytes are not UTF-8'],
    [['bad.jsonl'], 1, 'bad.jsonl:1'],
  ])('%j', async (args, code, message) => {
    const result = await cli(['chunk', ...args], { cwd })
    expect(result.code).toBe(code)
    expect(result.stderr).toContain(message)
    expect(result.stdout.toString()).toBe('')
  })
})
