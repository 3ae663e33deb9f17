/** Several processes on one cache, and processes that are killed. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { LOCK_TIMING } from '../../src/base/lock.js'
import { RepoLayout } from '../../src/store/layout.js'
import { PATIENCE_MS } from '../support/patience.js'
import { resolveInChild } from './support/child.js'
import { FAST, FILES, fixture, REPO, WEIGHTS } from './support/fixture.js'
import { type HubRequest, sha256 } from './support/hub.js'

const f = fixture()
const weights = (request: HubRequest) => request.at === 'cdn'
const options = () => ({ repo: REPO, files: FILES, cacheDir: f.cacheDir, endpoint: f.hub.url })
const ranges = () => f.hub.requests.filter(weights).map(({ headers }) => headers.range)
const isWhole = (dir = '') => readFileSync(join(dir, 'onnx/model.onnx')).equals(WEIGHTS)
const slow = { when: weights, slow: { size: 20_000, everyMs: 60 } }

it('eight that begin together download once', async () => {
  f.hub.fault({ ...slow, times: 99 })
  const all = await Promise.all(Array.from({ length: 8 }, () => resolveInChild(options())))
  for (const { last } of all) expect(last).toMatchObject({ files: expect.arrayContaining(FILES.required) })
  expect(new Set(all.map(({ last }) => last.dir)).size).toBe(1)
  expect(isWhole(all[0]?.last.dir)).toBe(true)
  expect(ranges()).toEqual([undefined])
  expect(f.hub.log().filter((line) => line.startsWith('HEAD'))).toHaveLength(1)
  expect(readdirSync(join(f.cacheDir, 'models--acme--tiny-model/blobs'))).toHaveLength(3)
})

it.each([20_000, 120_000, 200_000])(
  'one that is killed after %d bytes is continued by the next at once',
  async (bytes) => {
    f.hub.fault(slow)
    const killed = await resolveInChild(options(), {
      onLines: (lines, child) => {
        const enough = lines.some(
          ({ progress }) => progress?.file === 'onnx/model.onnx' && progress.receivedBytes >= bytes,
        )
        if (enough) child.kill('SIGKILL')
      },
    })
    expect(killed.signal).toBe('SIGKILL')
    const partial = new RepoLayout(f.cacheDir, REPO).partial(sha256(WEIGHTS), 'onnx/model.onnx')
    const left = statSync(partial).size
    expect(left).toBeGreaterThanOrEqual(bytes)
    expect(left).toBeLessThan(WEIGHTS.length)
    // Nothing half downloaded is taken for a model.
    await expect(f.resolve({ localFilesOnly: true })).rejects.toMatchObject({ code: 'OFFLINE' })

    const started = performance.now()
    const { dir } = await f.resolve({}, { ...FAST, lock: LOCK_TIMING })
    expect(performance.now() - started).toBeLessThan(PATIENCE_MS)
    expect(isWhole(dir)).toBe(true)
    expect(ranges()).toEqual([undefined, `bytes=${left}-`])
    expect(readdirSync(join(f.cacheDir, 'models--acme--tiny-model/blobs'))).toHaveLength(3)
  },
  30_000,
)

it('one that waits takes over when the one that downloads is killed', async () => {
  f.hub.fault(slow)
  let waiting: ReturnType<typeof resolveInChild> | undefined
  await resolveInChild(options(), {
    onLines: (lines, child) => {
      if (!lines.some(({ progress }) => (progress?.receivedBytes ?? 0) > 50_000)) return
      waiting ??= resolveInChild(options(), {
        onLines: ([line]) => {
          if (line?.started) setTimeout(() => child.kill('SIGKILL'), 200)
        },
      })
    },
  })
  const { last } = (await waiting) ?? {}
  expect(isWhole(last?.dir)).toBe(true)
  expect(ranges()).toHaveLength(2)
  expect(ranges()[1]).toMatch(/^bytes=\d+-$/)
})

it('one that is stopped loses its place, and does no harm when it goes on', async () => {
  f.hub.fault({ when: weights, slow: { size: 20_000, everyMs: 100 } })
  let stopped = false
  const sleeper = resolveInChild(options(), {
    onLines: (lines, child) => {
      if (stopped || !lines.some(({ progress }) => (progress?.receivedBytes ?? 0) > 50_000)) return
      stopped = true
      child.kill('SIGSTOP')
      void overtake().finally(() => child.kill('SIGCONT'))
    },
  })
  const overtakers: { dir: string }[] = []
  async function overtake() {
    overtakers.push(await f.resolve({}, { ...FAST, lock: { ...FAST.lock, staleMs: 2_500 } }))
  }
  const { last } = await sleeper
  await sleep(50)
  expect(overtakers).toHaveLength(1)
  expect(last.dir).toBe(overtakers[0]?.dir)
  expect(isWhole(last.dir)).toBe(true)
  await f.resolve({ localFilesOnly: true })
})
