/** What a resolved model looks like in the cache, and what is asked of the hub for it. */
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { DownloadProgress } from '../../src/options/model.js'
import {
  COMMIT,
  CONTENT,
  FILES,
  fixture,
  NEXT_COMMIT,
  noise,
  REPO,
  TOKENIZER,
  WEIGHTS,
} from './support/fixture.js'
import { gitSha1, sha256 } from './support/hub.js'

const f = fixture()
const root = () => join(f.cacheDir, 'models--acme--tiny-model')

it('lays the files out as the hub’s own cache', async () => {
  const { dir, revision, files } = await f.resolve()
  expect(revision).toBe(COMMIT)
  expect(dir).toBe(join(root(), 'snapshots', COMMIT))
  expect(files).toEqual(['onnx/model.onnx', 'tokenizer.json', 'config.json'])
  for (const file of files)
    expect(readFileSync(join(dir, file)).equals(CONTENT[file] as Buffer), file).toBe(true)
  expect(readlinkSync(join(dir, 'onnx/model.onnx'))).toBe(`../../../blobs/${sha256(WEIGHTS)}`)
  expect(readlinkSync(join(dir, 'tokenizer.json'))).toBe(`../../blobs/${gitSha1(TOKENIZER)}`)
  expect(lstatSync(join(root(), 'blobs', sha256(WEIGHTS))).isFile()).toBe(true)
  expect(readFileSync(join(root(), 'refs/main'), 'utf8')).toBe(COMMIT)
  expect(existsSync(join(root(), '.no_exist', COMMIT, '1_Pooling/config.json'))).toBe(true)
  // Nothing half made stays behind.
  expect(readdirSync(join(root(), 'blobs'))).toHaveLength(3)
  expect(readdirSync(dir).sort()).toEqual(['config.json', 'onnx', 'tokenizer.json'])
})

it('asks for the wanted files and no others', async () => {
  await f.resolve()
  expect(f.hub.log()[0]).toBe('HEAD hub onnx/model.onnx')
  expect(f.hub.log().slice(1).sort()).toEqual([
    'GET cdn onnx/model.onnx',
    'GET hub 1_Pooling/config.json',
    'GET hub config.json',
    'GET hub onnx/model.onnx',
    'GET hub tokenizer.json',
  ])
})

it('asks nothing when the model is complete', async () => {
  const first = await f.resolve()
  f.hub.reset()
  expect(await f.resolve()).toEqual(first)
  expect(f.hub.log()).toEqual([])
})

it('asks for the rest only, when more files are wanted', async () => {
  await f.resolve({ files: { required: ['tokenizer.json'] } })
  f.hub.reset()
  await f.resolve()
  expect(f.hub.log().filter((line) => line.includes('tokenizer'))).toEqual([])
  expect(f.hub.log()).toContain('GET cdn onnx/model.onnx')
})

it('takes branches, tags and commits', async () => {
  f.repo.commits.set(NEXT_COMMIT, new Map([['tokenizer.json', Buffer.from('{}')]]))
  f.repo.refs.set('refs/pr/1', NEXT_COMMIT).set('v1.0', COMMIT)
  const files = { required: ['tokenizer.json'] }
  const pr = await f.resolve({ revision: 'refs/pr/1', files })
  expect(pr.revision).toBe(NEXT_COMMIT)
  expect(readFileSync(join(root(), 'refs/refs/pr/1'), 'utf8')).toBe(NEXT_COMMIT)
  expect((await f.resolve({ revision: 'v1.0', files })).revision).toBe(COMMIT)
  f.hub.reset()
  const pinned = await f.resolve({ revision: NEXT_COMMIT, files })
  expect(pinned.dir).toBe(pr.dir)
  expect(f.hub.log()).toEqual([])
  expect(readdirSync(join(root(), 'refs')).sort()).toEqual(['refs', 'v1.0'])
})

it('follows a branch when asked to, and takes what both commits share from the cache', async () => {
  const before = await f.resolve()
  f.hub.add(REPO, NEXT_COMMIT, { ...CONTENT, 'tokenizer.json': '{"version":"2.0"}' })
  expect((await f.resolve()).revision).toBe(COMMIT)
  f.hub.reset()
  const after = await f.resolve({ refresh: true })
  expect(after.revision).toBe(NEXT_COMMIT)
  expect(readFileSync(join(after.dir, 'tokenizer.json'), 'utf8')).toBe('{"version":"2.0"}')
  expect(readFileSync(join(before.dir, 'tokenizer.json')).equals(TOKENIZER)).toBe(true)
  // The weights are known by their hash before they would come; at most the connection is opened.
  expect(readdirSync(join(root(), 'blobs'))).toHaveLength(4)
  f.hub.reset()
  await f.resolve({ refresh: true })
  expect(f.hub.log()).toEqual(['HEAD hub onnx/model.onnx'])
})

it('reports progress by file', async () => {
  const seen: DownloadProgress[] = []
  await f.resolve({ onProgress: (progress) => seen.push(progress) })
  expect(seen.at(-1)).toMatchObject({ repo: REPO, filesDone: 4, filesTotal: 4 })
  const weights = seen.filter(({ file }) => file === 'onnx/model.onnx')
  expect(weights.at(-1)).toMatchObject({ receivedBytes: WEIGHTS.length, totalBytes: WEIGHTS.length })
  for (let i = 1; i < weights.length; i++) {
    expect(weights[i]?.receivedBytes).toBeGreaterThanOrEqual(weights[i - 1]?.receivedBytes ?? 0)
  }
})

it('downloads once for concurrent calls', async () => {
  const all = await Promise.all(Array.from({ length: 5 }, () => f.resolve()))
  expect(new Set(all.map(({ dir }) => dir)).size).toBe(1)
  expect(f.hub.log().filter((line) => line === 'GET cdn onnx/model.onnx')).toHaveLength(1)
})

it('takes files of equal content that come at the same time', async () => {
  const same = noise(20_000, 5)
  f.hub.add(REPO, COMMIT, { 'a.bin': same, 'b.bin': same, 'c/d.bin': same, empty: '' })
  const { dir } = await f.resolve({ files: { required: ['a.bin', 'b.bin', 'c/d.bin', 'empty'] } })
  for (const file of ['a.bin', 'b.bin', 'c/d.bin'])
    expect(readFileSync(join(dir, file)).equals(same)).toBe(true)
  expect(readFileSync(join(dir, 'empty'))).toHaveLength(0)
})

it('follows a repository that was renamed', async () => {
  f.hub.repos.set('acme/old-name', { commits: new Map(), refs: new Map(), movedTo: REPO })
  const { dir } = await f.resolve({ repo: 'acme/old-name' })
  expect(dir).toContain('models--acme--old-name')
  expect(readFileSync(join(dir, 'onnx/model.onnx')).equals(WEIGHTS)).toBe(true)
})

it('gives the token to the hub and to nobody else', async () => {
  f.repo.token = 'hf_secret'
  await f.resolve({ token: 'hf_secret' })
  const seen = f.hub.requests.map(({ at, headers }) => `${at} ${headers.authorization}`)
  expect(new Set(seen)).toEqual(new Set(['hub Bearer hf_secret', 'cdn undefined']))
})

it('takes endpoint, token and cache from the environment', async () => {
  const { resolveModel } = await import('../../src/store/resolve.js')
  process.env['HF_ENDPOINT'] = `${f.hub.url}/`
  process.env['HF_TOKEN'] = 'hf_from_env'
  process.env['HF_HUB_CACHE'] = join(f.home, 'elsewhere')
  f.repo.token = 'hf_from_env'
  const { dir } = await resolveModel({ repo: REPO, files: FILES })
  expect(dir.startsWith(join(f.home, 'elsewhere'))).toBe(true)
})

it('takes small files whose answers tell no length', async () => {
  f.hub.fault({ noLength: true, times: 9 })
  const { files } = await f.resolve()
  expect(files).toHaveLength(3)
})

it('takes a mirror that serves large files itself', async () => {
  f.hub.announcesLarge = false
  const { dir } = await f.resolve()
  expect(readFileSync(join(dir, 'onnx/model.onnx')).equals(WEIGHTS)).toBe(true)
})

it('takes ETags that are no hashes, and never lets one name a path', async () => {
  for (const etag of ['W/"plain-tag_1"', '"../../../../escaped"', '".."']) {
    const cacheDir = join(f.home, `cache-${etag.length}`)
    f.hub.fault({
      when: ({ file }) => file === 'tokenizer.json',
      times: 9,
      instead: (response) => response.writeHead(200, { 'x-repo-commit': COMMIT, etag }).end(TOKENIZER),
    })
    const { dir } = await f.resolve({ cacheDir, files: { required: ['tokenizer.json'] } })
    expect(readFileSync(join(dir, 'tokenizer.json')).equals(TOKENIZER)).toBe(true)
    expect(readdirSync(join(cacheDir, 'models--acme--tiny-model/blobs'))).toHaveLength(1)
    f.hub.reset()
  }
  expect(readdirSync(f.home).filter((name) => name.includes('escaped'))).toEqual([])
})

it.each([
  [{ repo: 'a/b/c' }, 'repo'],
  [{ repo: '../x' }, 'repo'],
  [{ repo: 'a--b/c' }, 'repo'],
  [{ revision: '../../x' }, 'revision'],
  [{ files: { required: [] } }, 'files.required'],
  [{ files: { required: ['/absolute'] } }, 'files'],
  [{ files: { required: ['a/../../b'] } }, 'files.required[0]'],
  [{ files: { required: ['a\\b'] } }, 'required[0]'],
  [{ endpoint: 'ftp://x' }, 'endpoint'],
  [{ token: 'a\nb' }, 'token'],
  [{ onProgress: 1 }, 'onProgress'],
  [{ cachedir: 'x' }, 'cacheDir'],
])('refuses %o', async (options, named) => {
  const call = f.resolve(options as never)
  await expect(call).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining(named),
  })
  expect(f.hub.requests).toEqual([])
})
