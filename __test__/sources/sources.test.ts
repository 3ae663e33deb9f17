/** Documents out of files: formats, encodings, what cannot be read, and that reading is streaming. */
import { mkdir, mkdtemp, readdir, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, it } from 'vitest'
import {
  csvSource,
  folderSource,
  jsonlSource,
  type NamedDocumentSource,
  type PipelineDocument,
  parquetSource,
  textSource,
  type UnreadableDocument,
} from '../../index.js'

type Read = PipelineDocument | UnreadableDocument

const fresh = () => mkdtemp(join(tmpdir(), 'millrace-source-'))

async function all(source: NamedDocumentSource): Promise<Read[]> {
  const documents: Read[] = []
  for await (const document of source) documents.push(document)
  return documents
}

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(await fresh(), name)
  await writeFile(path, content)
  return path
}

const openFiles = async () => (await readdir('/proc/self/fd').catch(() => [])).length

describe('textSource', () => {
  it('gives lines, named by their place', async () => {
    const path = await file('a.txt', '\ufeffone\r\n\r\n  \ntwo\nthree')
    expect(await all(textSource(path))).toEqual([
      { id: `${path}:1`, text: 'one' },
      { id: `${path}:4`, text: 'two' },
      { id: `${path}:5`, text: 'three' },
    ])
  })

  it('gives whole files, and says which cannot be read', async () => {
    const folder = await fresh()
    await writeFile(join(folder, 'a.md'), '# Title\n\ntext')
    await writeFile(join(folder, 'b.html'), '<title>T\n t</title><p>x')
    const paths = ['a.md', 'b.html', 'none.txt'].map((name) => join(folder, name))
    const source = textSource(paths, { by: 'file' })
    const [a, b, none] = await all(source)
    expect(a).toMatchObject({ id: paths[0], format: 'markdown', metadata: { title: 'Title' } })
    expect(b).toMatchObject({ id: paths[1], format: 'html', metadata: { title: 'T t' } })
    expect(none).toMatchObject({ id: paths[2], error: { code: 'INPUT_INVALID' } })
    expect(await source.count?.()).toBe(3)
  })

  it('unpacks gzip and tells lines that are no UTF-8', async () => {
    const path = await file(
      'a.txt.gz',
      gzipSync(Buffer.concat([Buffer.from('good\n'), Buffer.from([0xff, 0xfe, 10])])),
    )
    expect(await all(textSource(path))).toMatchObject([
      { text: 'good' },
      { error: { code: 'INPUT_INVALID' } },
    ])
  })
})

describe('jsonlSource', () => {
  it('takes fields, deep ones too, and goes on after what is wrong', async () => {
    const lines = [
      { id: 'a', text: 'one', meta: { year: 2020 }, tags: ['x'] },
      { id: 7, title: 'T', text: 'two' },
      { text: 5 },
      {},
    ].map((line) => JSON.stringify(line))
    const path = await file('a.jsonl', `${lines.join('\n')}\n\nnot json\n`)
    const documents = await all(
      jsonlSource(path, { text: ['title', 'text'], metadata: ['meta.year', 'tags'] }),
    )
    expect(documents.slice(0, 2)).toEqual([
      { id: 'a', text: 'one', metadata: { 'meta.year': 2020, tags: ['x'] } },
      { id: '7', text: 'T\n\ntwo', metadata: { 'meta.year': null, tags: null } },
    ])
    expect(documents.slice(2).map(({ id }) => id)).toEqual([`${path}:3`, `${path}:4`, `${path}:6`])
    for (const document of documents.slice(2))
      expect(document).toMatchObject({ error: { code: 'INPUT_INVALID' } })
  })

  it('keeps all other fields when asked', async () => {
    const path = await file('a.jsonl', '{"key":"k","body":"b","x":1,"y":{"z":null}}\n')
    expect(await all(jsonlSource(path, { id: 'key', text: 'body', metadata: true, format: 'html' }))).toEqual(
      [{ id: 'k', text: 'b', metadata: { x: 1, y: { z: null } }, format: 'html' }],
    )
  })

  it('is read anew each time, and closes its file when left', async () => {
    const path = await file(
      'a.jsonl',
      Array.from({ length: 20_000 }, (_, i) => `{"id":"${i}","text":"t"}`).join('\n'),
    )
    const source = jsonlSource(path)
    expect(await all(source)).toEqual(await all(source))
    const before = await openFiles()
    for (let i = 0; i < 20; i++) for await (const _ of source) break
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await openFiles()).toBeLessThanOrEqual(before + 1)
  })
})

describe('csvSource', () => {
  it('reads quotes, line ends in fields, byte order marks and other delimiters', async () => {
    const path = await file('a.csv', '\ufeffid;text;year\r\n1;"a ""b""\nc";2020\r\n2;plain;\r\n;no id;1\r\n')
    const documents = await all(csvSource(path, { delimiter: ';', metadata: true }))
    expect(documents).toEqual([
      { id: '1', text: 'a "b"\nc', metadata: { year: '2020' } },
      { id: '2', text: 'plain', metadata: { year: '' } },
      { id: expect.stringContaining(`${path}:`), text: 'no id', metadata: { year: '1' } },
    ])
  })

  it('ends at a file that is not there', async () => {
    await expect(all(csvSource('/nowhere/none.csv'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('parquetSource', () => {
  it('reads the columns that are needed, row group by row group', async () => {
    const count = 250
    const bytes = parquetWriteBuffer({
      columnData: [
        { name: 'key', data: Array.from({ length: count }, (_, i) => BigInt(i)), type: 'INT64' },
        { name: 'body', data: Array.from({ length: count }, (_, i) => `text ${i}`), type: 'STRING' },
        {
          name: 'when',
          data: Array.from({ length: count }, (_, i) => new Date(i * 1000)),
          type: 'TIMESTAMP',
        },
        { name: 'unused', data: Array.from({ length: count }, () => 'x'), type: 'STRING' },
      ],
      rowGroupSize: 100,
    })
    const path = await file('a.parquet', new Uint8Array(bytes))
    const source = parquetSource(path, { id: 'key', text: 'body', metadata: ['when'] })
    expect(await source.count?.()).toBe(count)
    const documents = await all(source)
    expect(documents).toHaveLength(count)
    expect(documents[249]).toEqual({
      id: '249',
      text: 'text 249',
      metadata: { when: '1970-01-01T00:04:09.000Z' },
    })
  })
})

describe('folderSource', () => {
  it('gives pages in the order of their paths, with what their heads say', async () => {
    const root = await fresh()
    await mkdir(join(root, 'b', 'node_modules'), { recursive: true })
    await mkdir(join(root, '.git'))
    const files: Record<string, string | Uint8Array> = {
      'z.txt': 'plain',
      'b/page.html': '<html><head><title>Page &amp; more</title></head>',
      'b/a.md': '---\ntitle: "From head"\ndraft: true\nyear: 2020\ntags: [a, b]\n---\n# Heading\n\ntext',
      'b/node_modules/x.md': 'no',
      '.git/x.md': 'no',
      'image.png': 'no',
      'utf16.txt': Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('wide', 'utf16le')]),
      'bad.txt': Uint8Array.of(0xc3, 0x28),
      'empty.md': '',
    }
    for (const [name, content] of Object.entries(files)) await writeFile(join(root, name), content)
    const source = folderSource(root)
    const documents = await all(source)
    expect(documents.map(({ id }) => id)).toEqual([
      'b/a.md',
      'b/page.html',
      'bad.txt',
      'empty.md',
      'utf16.txt',
      'z.txt',
    ])
    expect(documents[0]).toEqual({
      id: 'b/a.md',
      text: '# Heading\n\ntext',
      format: 'markdown',
      metadata: { title: 'From head', draft: true, year: 2020, tags: ['a', 'b'], path: 'b/a.md' },
    })
    expect(documents[1]).toMatchObject({ format: 'html', metadata: { title: 'Page & more' } })
    expect(documents[2]).toMatchObject({ error: { code: 'INPUT_INVALID' } })
    expect(documents[4]).toMatchObject({ text: 'wide' })
    expect(await source.count?.()).toBe(6)
  })

  it('takes what it is told to', async () => {
    const root = await fresh()
    await mkdir(join(root, 'drafts'))
    await writeFile(join(root, 'drafts', 'x.md'), 'no')
    await writeFile(join(root, 'a.rst'), 'yes')
    await writeFile(join(root, '.hidden.rst'), 'yes')
    await writeFile(join(root, 'large.rst'), 'x'.repeat(100))
    await symlink(join(root, 'a.rst'), join(root, 'link.rst'))
    const ids = async (options: Parameters<typeof folderSource>[1]) =>
      (await all(folderSource(root, options))).map(({ id }) => id)
    expect(await ids({ extensions: ['.rst', '.md'], filter: (path) => path !== 'drafts/' })).toEqual([
      'a.rst',
      'large.rst',
    ])
    expect(await ids({ extensions: ['.rst'], hidden: true, followLinks: true })).toEqual([
      '.hidden.rst',
      'a.rst',
      'large.rst',
      'link.rst',
    ])
    const [, large] = await all(folderSource(root, { extensions: ['.rst'], maxBytes: 50 }))
    expect(large).toMatchObject({
      error: { code: 'INPUT_INVALID', message: expect.stringContaining('100 bytes') },
    })
    expect(() => folderSource(root, { extensions: ['md'] })).toThrow(/extensions/)
    await expect(all(folderSource(join(root, 'none')))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
