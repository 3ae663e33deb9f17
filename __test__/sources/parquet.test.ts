/** Parquet without loss: bytes that are no text, times finer than a millisecond, broken files. */
import { parquetWriteBuffer } from 'hyparquet-writer'
import { expect, it } from 'vitest'
import { parquetSource } from '../../index.js'
import { all, file } from './support.js'

const bytesOf = (...texts: (string | Uint8Array)[]) =>
  texts.map((text) => (typeof text === 'string' ? Buffer.from(text) : text))

it('keeps bytes that are no UTF-8, and never replaces them', async () => {
  const image = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0)
  const path = await file(
    'a.parquet',
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: 'text', data: ['one', 'two'], type: 'STRING' },
          { name: 'old', data: bytesOf('Straße', 'written without a type'), type: 'BYTE_ARRAY' },
          { name: 'image', data: bytesOf(image, 'ascii by chance'), type: 'BYTE_ARRAY' },
        ],
      }),
    ),
  )
  expect(await all(parquetSource(path, { metadata: true }))).toMatchObject([
    { text: 'one', metadata: { old: 'Straße', image: Buffer.from(image).toString('base64') } },
    {
      text: 'two',
      metadata: { old: 'written without a type', image: Buffer.from('ascii by chance').toString('base64') },
    },
  ])
  expect(await all(parquetSource(path, { text: 'image' }))).toMatchObject([
    { error: { code: 'INPUT_INVALID', message: expect.stringContaining("field 'image'") } },
    { error: { code: 'INPUT_INVALID' } },
  ])
})

it('names a file that is broken, and goes on with the next', async () => {
  const broken = await file('a.parquet', 'hello, this is no Parquet')
  const good = await file(
    'b.parquet',
    new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'text', data: ['one'], type: 'STRING' }] })),
  )
  expect(await all(parquetSource([broken, good]))).toMatchObject([
    {
      id: broken,
      error: {
        code: 'INPUT_INVALID',
        message: expect.stringContaining(`${broken} cannot be read as Parquet`),
      },
    },
    { text: 'one' },
  ])
  expect(await all(parquetSource(good, { metadata: ['txet'] }))).toMatchObject([
    { id: good, error: { code: 'INPUT_INVALID', message: expect.stringContaining("did you mean 'text'?") } },
  ])
})
