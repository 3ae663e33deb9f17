/** Listing, verifying and pruning a cache, by the API and by the command line. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { acquireLock } from '../../src/base/lock.js'
import { RepoLayout } from '../../src/store/layout.js'
import { cachedDirectory, listModels } from '../../src/store/list.js'
import { pruneModels } from '../../src/store/prune.js'
import { verifyModels } from '../../src/store/verify.js'
import { runChild } from '../support/run-child.js'
import {
  bareEnvironment,
  COMMIT,
  CONTENT,
  FAST,
  fixture,
  NEXT_COMMIT,
  REPO,
  WEIGHTS,
} from './support/fixture.js'

const f = fixture()
const layout = () => new RepoLayout(f.cacheDir, REPO)
const sizeOf = (...files: string[]) => files.reduce((sum, file) => sum + (CONTENT[file]?.length ?? 0), 0)
const DOWNLOADED = sizeOf('onnx/model.onnx', 'tokenizer.json', 'config.json')
const DAY = 24 * 3600

/** Makes a file look as old as that. */
function age(path: string, seconds: number) {
  const then = new Date(Date.now() - seconds * 1000)
  utimesSync(path, then, then)
}

/** Two revisions that share the weights. */
async function twoRevisions() {
  await f.resolve()
  f.hub.add(REPO, NEXT_COMMIT, { ...CONTENT, 'tokenizer.json': '{"version":"2.0"}' })
  await f.resolve({ refresh: true })
}

describe('listModels', () => {
  it('finds nothing in a cache that is not there, and in one of other things', async () => {
    expect(await listModels({ cacheDir: f.cacheDir })).toEqual([])
    mkdirSync(join(f.cacheDir, 'datasets--acme--texts'), { recursive: true })
    writeFileSync(join(f.cacheDir, 'version.txt'), '1')
    expect(await listModels({ cacheDir: f.cacheDir })).toEqual([])
  })

  it('finds models, their revisions and what they take', async () => {
    await twoRevisions()
    mkdirSync(join(f.cacheDir, 'models--solo/snapshots'), { recursive: true })
    const [tiny, solo, ...others] = await listModels({ cacheDir: f.cacheDir })
    expect(others).toEqual([])
    expect(solo).toMatchObject({ repo: 'solo', revisions: [] })
    expect(tiny).toMatchObject({
      repo: REPO,
      path: layout().root,
      revisions: [
        { commit: COMMIT, refs: [], sizeBytes: DOWNLOADED },
        { commit: NEXT_COMMIT, refs: ['main'], dir: layout().snapshot(NEXT_COMMIT) },
      ],
    })
    expect(tiny?.revisions[0]?.files.map(({ file }) => file)).toEqual([
      'config.json',
      'onnx/model.onnx',
      'tokenizer.json',
    ])
    // The weights count once; records and references are a few bytes.
    expect(tiny?.sizeBytes).toBeGreaterThan(DOWNLOADED)
    expect(tiny?.sizeBytes).toBeLessThan(DOWNLOADED + 5_000)
    expect(await listModels({ cacheDir: f.cacheDir, repo: 'solo' })).toHaveLength(1)
  })

  it('finds the directory of one', async () => {
    await f.resolve()
    const { cacheDir } = f
    const expected = { dir: layout().snapshot(COMMIT), revision: COMMIT }
    expect(await cachedDirectory({ repo: REPO, cacheDir })).toEqual(expected)
    expect(await cachedDirectory({ repo: REPO, cacheDir, revision: COMMIT })).toEqual(expected)
    for (const wanted of [{ revision: 'v9' }, { revision: NEXT_COMMIT }, { repo: 'acme/other' }]) {
      const call = cachedDirectory({ repo: REPO, cacheDir, ...wanted })
      await expect(call).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    }
  })
})

describe('verifyModels', () => {
  it('reads everything and says what is wrong, also what no time of change betrays', async () => {
    const { dir } = await f.resolve()
    const blob = realpathSync(join(dir, 'onnx/model.onnx'))
    const { atime, mtime } = statSync(blob)
    const bytes = readFileSync(blob)
    bytes[5] = ~(bytes[5] ?? 0)
    writeFileSync(blob, bytes)
    utimesSync(blob, atime, mtime)
    symlinkSync('../../blobs/nowhere', join(dir, 'gone.json'))
    writeFileSync(join(dir, 'by-hand.txt'), 'x')
    const seen: string[] = []
    const found = await verifyModels({ cacheDir: f.cacheDir, onFile: ({ file }) => seen.push(file) })
    const states = Object.fromEntries(found.map(({ file, state }) => [file, state]))
    expect(states).toEqual({
      'by-hand.txt': 'unverifiable',
      'config.json': 'intact',
      'gone.json': 'missing',
      'onnx/model.onnx': 'damaged',
      'tokenizer.json': 'intact',
    })
    expect(seen).toEqual(Object.keys(states))
    // From then on its use finds it too, and mends it.
    await expect(f.resolve({ localFilesOnly: true })).rejects.toMatchObject({ code: 'MODEL_INVALID' })
    await f.resolve()
    expect(readFileSync(join(dir, 'onnx/model.onnx')).equals(WEIGHTS)).toBe(true)
  })

  it('ends with the signal', async () => {
    await f.resolve()
    const call = verifyModels({ cacheDir: f.cacheDir, signal: AbortSignal.abort('stop') })
    await expect(call).rejects.toBe('stop')
  })
})

describe('pruneModels', () => {
  const prune = (options = {}) => pruneModels({ cacheDir: f.cacheDir, ...options })

  it('leaves a model in use as it is', async () => {
    await twoRevisions()
    expect(await prune()).toEqual({ removed: [], bytes: 0, busy: [] })
    f.hub.reset()
    await f.resolve()
    await f.resolve({ revision: COMMIT })
    expect(f.hub.requests).toEqual([])
  })

  it('takes out what was begun and given up, and blobs that nothing shows', async () => {
    const { dir } = await f.resolve()
    const at = (name: string) => join(layout().blobs, name)
    const ours = layout().partial('a'.repeat(64), 'x.onnx')
    for (const path of [
      ours,
      at('new.incomplete'),
      at('old.incomplete'),
      join(dir, 'x.0123abcd.tmp'),
      at('new-blob'),
    ]) {
      writeFileSync(path, '12345')
    }
    age(at('old.incomplete'), 2 * DAY)
    const dry = await prune({ dryRun: true })
    expect(dry.removed.map(({ path }) => path).sort()).toEqual(
      [ours, at('old.incomplete'), join(dir, 'x.0123abcd.tmp')].sort(),
    )
    expect(dry).toMatchObject({ bytes: 15, busy: [] })
    expect(existsSync(ours)).toBe(true)
    expect(await prune()).toEqual(dry)
    // Another client may be about to use the rest.
    for (const path of [at('new.incomplete'), at('new-blob')]) expect(existsSync(path)).toBe(true)
    expect([ours, at('old.incomplete')].filter(existsSync)).toEqual([])
    await f.resolve({ localFilesOnly: true })
  })

  it('takes out revisions that nothing stands for, only when asked, and only what they alone use', async () => {
    await twoRevisions()
    const { removed, bytes } = await prune({ detached: true })
    expect(removed.map(({ why }) => why)).toEqual(['detached', 'unused'])
    expect(bytes).toBe(sizeOf('tokenizer.json'))
    expect(existsSync(layout().snapshot(COMMIT))).toBe(false)
    expect(existsSync(layout().record(COMMIT))).toBe(false)
    await f.resolve({ localFilesOnly: true })
    await expect(f.resolve({ localFilesOnly: true, revision: COMMIT })).rejects.toMatchObject({
      code: 'OFFLINE',
    })
  })

  it('leaves a model alone that somebody is downloading', async () => {
    await f.resolve()
    const partial = layout().partial('a'.repeat(64), 'x.onnx')
    writeFileSync(partial, '12345')
    const lock = await acquireLock(layout().locks, undefined, FAST.lock)
    expect(await prune()).toEqual({ removed: [], bytes: 0, busy: [REPO] })
    await lock.release()
    expect((await prune()).removed).toHaveLength(1)
  })

  it.each([{ repo: '../x' }, { dryrun: true }, { cacheDir: '' }])('refuses %o', async (options) => {
    await expect(prune(options)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('millrace models', () => {
  const run = (...args: string[]) =>
    runChild('../../store/children/cli.mjs', {
      args: ['models', ...args],
      env: {
        ...bareEnvironment(),
        HF_HUB_CACHE: f.cacheDir,
        HF_ENDPOINT: f.hub.url,
        HF_HOME: join(f.home, 'hf'),
        NO_COLOR: '1',
      },
    })
  const dir = () => layout().snapshot(COMMIT)

  it('pulls, lists, shows and verifies', async () => {
    const pulled = await run('pull', REPO)
    expect(pulled).toMatchObject({ code: 0, stdout: `${dir()}\n` })
    expect(pulled.stderr).toMatch(/acme\/tiny-model {2}\S+ {2}\S+ \w+ {2}\d+\/\d+ files\n/)
    expect(existsSync(join(dir(), 'config.json'))).toBe(true)
    expect(existsSync(join(dir(), 'README.md'))).toBe(false)

    const listed = await run('list')
    expect(listed.stdout).toBe(`acme/tiny-model  11111111  main  3 files  293 KiB\n`)
    expect(listed.stderr).toMatch(/^1 models, 29[34] KiB in /)
    expect(JSON.parse((await run('list', '--json')).stdout)[0]).toMatchObject({ repo: REPO })

    expect(await run('path', REPO)).toMatchObject({ code: 0, stdout: `${dir()}\n` })
    expect(await run('path')).toMatchObject({ code: 0, stdout: `${f.cacheDir}\n` })
    expect(await run('verify')).toMatchObject({ code: 0, stdout: '', stderr: '3 files, 0 wrong\n' })

    truncateSync(realpathSync(join(dir(), 'tokenizer.json')), 1)
    const wrong = await run('verify', REPO)
    expect(wrong).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('damaged  acme/tiny-model tokenizer.json: '),
    })
    expect(wrong.stderr).toContain('millrace models pull acme/tiny-model')
    expect(JSON.parse((await run('verify', '--json')).stdout)).toMatchObject({ ok: false })
    expect(await run('pull', REPO, '--quiet')).toMatchObject({ code: 0, stderr: '' })
    expect((await run('verify')).code).toBe(0)
  })

  it('pulls what is named: a known model, files, a revision, a cache', async () => {
    const elsewhere = join(f.home, 'elsewhere')
    const pulled = await run('pull', 'tiny', '--cache-dir', elsewhere)
    expect(pulled.stdout.trim()).toBe(new RepoLayout(elsewhere, REPO).snapshot(COMMIT))
    expect(existsSync(join(pulled.stdout.trim(), 'onnx'))).toBe(false)
    f.repo.refs.set('v1', COMMIT)
    await run('pull', REPO, '--file', 'README.md', '--file', 'config.json', '--revision', 'v1')
    expect(existsSync(join(dir(), 'README.md'))).toBe(true)
    expect(existsSync(join(layout().refs, 'v1'))).toBe(true)
    expect((await run('path', REPO, '--revision', 'v1')).code).toBe(0)
  })

  it('prunes', async () => {
    await twoRevisions()
    expect((await run('prune')).stderr).toBe('freed 0 B\n')
    const dry = await run('prune', REPO, '--detached', '--dry-run')
    expect(dry.stdout).toMatch(/^detached {2}acme\/tiny-model.*\nunused {2}acme\/tiny-model {2}17 B /)
    expect(dry.stderr).toBe('would free 17 B\n')
    const { bytes, removed } = JSON.parse((await run('prune', '--detached', '--json')).stdout)
    expect([bytes, removed.length]).toEqual([17, 2])
    expect(existsSync(dir())).toBe(false)
  })

  it.each([
    [['pull', 'acme/none'], 1, /^millrace: DOWNLOAD_FAILED: .*401/],
    [['pull', REPO, '--revision', 'none'], 1, /^millrace: MODEL_NOT_FOUND: /],
    [['pull', 'a/b/c'], 2, /^millrace: INVALID_OPTION: .*repo/],
    [['pull'], 2, /^millrace: INVALID_OPTION: missing required argument/],
    [['path', REPO], 1, /^millrace: MODEL_NOT_FOUND: .*millrace models pull/],
    [['lsit'], 2, /INVALID_OPTION: .*lsit/],
  ])('%j ends with %d', async (args, code, stderr) => {
    const result = await run(...args)
    expect(result).toMatchObject({ code, stdout: '' })
    expect(result.stderr).toMatch(stderr)
  })
})
