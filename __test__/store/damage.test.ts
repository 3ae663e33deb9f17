/** Damaged files: found whoever damaged them, downloaded again where there is a network, an error where there is none. */
import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { resolveInChild } from './support/child.js'
import { COMMIT, FILES, fixture, REPO, TOKENIZER, WEIGHTS } from './support/fixture.js'
import { gitSha1, sha256 } from './support/hub.js'

const f = fixture()
const root = () => join(f.cacheDir, 'models--acme--tiny-model')
const record = () => join(root(), '.millrace', `${COMMIT}.json`)

/** Turns one byte around. */
function flip(path: string, at: number) {
  const byte = readFileSync(path)[at] ?? 0
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.from([~byte & 0xff]), 0, 1, at)
  closeSync(file)
}

describe.each([
  ['one byte of the weights', 'onnx/model.onnx', (path: string) => flip(path, 200_000), sha256(WEIGHTS)],
  ['one byte of a small file', 'tokenizer.json', (path: string) => flip(path, 3), gitSha1(TOKENIZER)],
  ['the end of the weights', 'onnx/model.onnx', (path: string) => truncateSync(path, 1000), '1000 bytes'],
  ['everything', 'tokenizer.json', (path: string) => truncateSync(path, 0), '0 bytes'],
])('%s', (_, file, damage, named) => {
  it.each([true, false])('is an error offline and mended online (with a record: %s)', async (withRecord) => {
    const { dir } = await f.resolve()
    if (!withRecord) renameSync(record(), `${record()}.away`)
    damage(realpathSync(join(dir, file)))
    for (let i = 0; i < 2; i++) {
      await expect(f.resolve({ localFilesOnly: true })).rejects.toMatchObject({
        code: 'MODEL_INVALID',
        message: expect.stringMatching(new RegExp(`${file} is damaged: .*${named}.*localFilesOnly is true`)),
      })
    }
    f.hub.reset()
    await f.resolve()
    expect(readFileSync(join(dir, 'onnx/model.onnx')).equals(WEIGHTS)).toBe(true)
    expect(readFileSync(join(dir, 'tokenizer.json')).equals(TOKENIZER)).toBe(true)
    // The other files are left as they are.
    expect(new Set(f.hub.requests.map((request) => request.file)).size).toBe(
      file === 'onnx/model.onnx' ? 1 : 2,
    )
    expect((await f.resolve({ localFilesOnly: true })).files).toHaveLength(3)
  })
})

it('in an optional file is damage too', async () => {
  const { dir } = await f.resolve()
  flip(realpathSync(join(dir, 'config.json')), 1)
  await expect(f.resolve({ localFilesOnly: true })).rejects.toMatchObject({ code: 'MODEL_INVALID' })
  await f.resolve()
  await f.resolve({ localFilesOnly: true })
})

it('by a directory in a file’s place is an error offline', async () => {
  await f.resolve({ files: { required: ['tokenizer.json', 'onnx/model.onnx'] } })
  await expect(f.resolve({ localFilesOnly: true, files: { required: ['onnx'] } })).rejects.toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringContaining('it is not a file'),
  })
})

it('reads a file again only when it has changed', async () => {
  const { dir } = await f.resolve()
  const blob = realpathSync(join(dir, 'onnx/model.onnx'))
  const before = readFileSync(record(), 'utf8')
  const { mtime } = statSync(blob)
  // A copy of the cache that kept whole seconds, as container images do.
  utimesSync(blob, mtime, new Date(Math.floor(mtime.getTime() / 1000) * 1000))
  await f.resolve({ localFilesOnly: true })
  expect(readFileSync(record(), 'utf8')).toBe(before)
  // Touched: it is hashed again, and found to be right.
  utimesSync(blob, mtime, new Date(mtime.getTime() + 5_500))
  await f.resolve({ localFilesOnly: true })
  expect(readFileSync(record(), 'utf8')).not.toBe(before)
})

it.each(['', '{', '{"version":99,"files":{}}', '{"version":1,"files":[1,{"etag":1}]}', '[]'])(
  'does not trust a record that holds %s',
  async (content) => {
    const { dir } = await f.resolve()
    flip(realpathSync(join(dir, 'onnx/model.onnx')), 0)
    writeFileSync(record(), content)
    await expect(f.resolve({ localFilesOnly: true })).rejects.toMatchObject({ code: 'MODEL_INVALID' })
  },
)

it('of a reference is as if there were none', async () => {
  await f.resolve()
  writeFileSync(join(root(), 'refs/main'), 'not a commit')
  await expect(f.resolve({ localFilesOnly: true })).rejects.toMatchObject({ code: 'OFFLINE' })
  await f.resolve()
  await f.resolve({ localFilesOnly: true })
})

describe.each(['soft', 'hard'])('on a file system without %s links', (links) => {
  const resolveThere = () =>
    resolveInChild(
      { repo: REPO, files: FILES, cacheDir: f.cacheDir, endpoint: f.hub.url },
      { preload: 'no-links.mjs', env: { NO_LINKS: links } },
    )

  it('the snapshot holds the files themselves, and damage is found and mended', async () => {
    const { last } = await resolveThere()
    expect(last.files).toHaveLength(3)
    const weights = join(last.dir ?? '', 'onnx/model.onnx')
    expect(lstatSync(weights).isFile()).toBe(true)
    expect(readFileSync(weights).equals(WEIGHTS)).toBe(true)
    expect(readdirSync(join(root(), 'blobs'))).toHaveLength(links === 'hard' ? 0 : 3)
    // No second copy of the bytes.
    expect(lstatSync(weights).nlink).toBe(links === 'hard' ? 1 : 2)

    flip(weights, 77)
    await expect(f.resolve({ localFilesOnly: true })).rejects.toMatchObject({ code: 'MODEL_INVALID' })
    await expect(f.resolve({ localFilesOnly: true })).rejects.toMatchObject({ code: 'MODEL_INVALID' })
    expect((await resolveThere()).last.files).toHaveLength(3)
    expect(readFileSync(weights).equals(WEIGHTS)).toBe(true)
    await f.resolve({ localFilesOnly: true })
  })
})
