/** Bytes into text: what a file's encoding is, and that bytes which are not valid in it are told by their line and never replaced. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { csvSource, folderSource, jsonlSource, textSource } from '../../index.js'
import { all, file, fresh } from './support.js'

/** `Straße 5 €` as Excel writes it in western Europe. */
const CP1252 = Buffer.from([0x53, 0x74, 0x72, 0x61, 0xdf, 0x65, 0x20, 0x35, 0x20, 0x80])

// cfpb/college-costs#242: such CSV files come in windows-1252.
it('refuses a CSV row that is not UTF-8, with its line, and reads it in the encoding that it has', async () => {
  const path = await file(
    'a.csv',
    Buffer.concat([Buffer.from('id,text\n1,fine\n2,'), CP1252, Buffer.from('\n3,"a\nb"\n')]),
  )
  expect(await all(csvSource(path))).toMatchObject([
    { id: '1', text: 'fine' },
    {
      id: `${path}:3`,
      error: {
        code: 'INPUT_INVALID',
        message: expect.stringContaining(`${path}:3: the bytes are not UTF-8`),
      },
    },
    { id: '3', text: 'a\nb' },
  ])
  expect(await all(csvSource(path, { encoding: 'latin1' }))).toMatchObject([
    { text: 'fine' },
    { text: 'Straße 5 €' },
    { text: 'a\nb' },
  ])
})

it('tells the line inside a quoted field', async () => {
  const path = await file(
    'a.csv',
    Buffer.concat([Buffer.from('id,text\n1,"one\ntwo '), CP1252, Buffer.from('"\n2,fine\n')]),
  )
  expect(await all(csvSource(path))).toMatchObject([
    { id: `${path}:3`, error: { code: 'INPUT_INVALID' } },
    { id: '2', text: 'fine' },
  ])
})

it('reads UTF-16 with a byte order mark, as PowerShell writes it, in every kind of text file', async () => {
  const wide = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])
  expect(await all(textSource(await file('a.txt', wide('eins\r\nzwei – ü\r\n'))))).toMatchObject([
    { text: 'eins' },
    { text: 'zwei – ü' },
  ])
  expect(await all(csvSource(await file('a.csv', wide('id,text\r\n1,ü\r\n'))))).toMatchObject([{ text: 'ü' }])
  expect(await all(jsonlSource(await file('a.jsonl', wide('{"text":"ü"}\n'))))).toMatchObject([{ text: 'ü' }])
  const big = Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from('ü', 'utf16le').swap16()])
  expect(await all(textSource(await file('b.txt', big), { by: 'file' }))).toMatchObject([{ text: 'ü' }])
})

it('tells half a character of UTF-16 and bytes that Shift JIS does not have', async () => {
  const half = Buffer.concat([
    Buffer.from([0xff, 0xfe]),
    Buffer.from('a\nb', 'utf16le'),
    Buffer.from([0x3d, 0xd8]),
  ])
  expect(await all(textSource(await file('a.txt', half)))).toMatchObject([
    { text: 'a' },
    { error: { code: 'INPUT_INVALID' } },
  ])
  const japanese = Buffer.concat([
    Buffer.from([0x93, 0xfa, 0x96, 0x7b, 10]),
    Buffer.from([0x81, 0x20, 10]),
    Buffer.from('end'),
  ])
  expect(await all(textSource(await file('a.txt', japanese), { encoding: 'shift_jis' }))).toMatchObject([
    { text: '日本' },
    { error: { code: 'INPUT_INVALID', message: expect.stringContaining('shift_jis') } },
    { text: 'end' },
  ])
})

it('keeps a replacement character that a file has in good UTF-8', async () => {
  expect(await all(textSource(await file('a.txt', 'so \ufffd it is')))).toMatchObject([
    { text: 'so \ufffd it is' },
  ])
})

it('reads a page in the encoding that it declares, unless told otherwise', async () => {
  const root = await fresh()
  const page = (head: string) => Buffer.concat([Buffer.from(`${head}<p>`), CP1252])
  await mkdir(join(root, 'x'))
  await writeFile(join(root, 'a.html'), page('<!-- <meta charset=koi8-r> --><meta charset="iso-8859-1">'))
  await writeFile(
    join(root, 'b.html'),
    page('<META http-equiv=Content-Type content="text/html; charset=windows-1252">'),
  )
  await writeFile(join(root, 'c.xhtml'), page('<?xml version="1.0" encoding="windows-1252"?>'))
  await writeFile(join(root, 'd.html'), page('<title>none</title>\n'))
  await writeFile(join(root, 'x', 'e.txt'), 'plain ü')
  const texts = (await all(folderSource(root))).map((one) =>
    'text' in one ? one.text.slice(-10) : one.error.message,
  )
  expect(texts.slice(0, 3)).toEqual(['Straße 5 €', 'Straße 5 €', 'Straße 5 €'])
  expect(texts[3]).toContain(`${join(root, 'd.html')}:2: the bytes are not UTF-8`)
  expect(texts[4]).toBe('plain ü')
  const [, , , told] = await all(folderSource(root, { encoding: 'windows-1252' }))
  expect(told).toMatchObject({ text: expect.stringContaining('Straße 5 €') })
})

it('refuses an encoding that nobody knows', () => {
  expect(() => textSource('a.txt', { encoding: 'utf-9' })).toThrow(/encoding/)
  expect(() => csvSource('a.csv', { encoding: 'excel' })).toThrow(/encoding/)
})
