/** A hub that misbehaves: what is tried again, what is an error, and which. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { RepoLayout } from '../../src/store/layout.js'
import { PATIENCE_MS } from '../support/patience.js'
import { COMMIT, FAST, FILES, fixture, REPO, TOKENIZER, WEIGHTS } from './support/fixture.js'
import { etagOf, gitSha1, type HubRequest, refuse, sha256 } from './support/hub.js'

const f = fixture()
const blobs = () => join(f.cacheDir, 'models--acme--tiny-model/blobs')
const weights = (request: HubRequest) => request.at === 'cdn'
const rangesAsked = () => f.hub.requests.filter(weights).map(({ headers }) => headers.range)
/** A file that a process had begun to download when it ended. */
function leavePart(file: string, content: Buffer, part: Buffer) {
  mkdirSync(blobs(), { recursive: true })
  writeFileSync(new RepoLayout(f.cacheDir, REPO).partial(etagOf(content), file), part)
}
const isWhole = async (dir: string) => readFileSync(join(dir, 'onnx/model.onnx')).equals(WEIGHTS)

describe('is tried again', () => {
  it('after a connection that breaks, from the byte where it broke', async () => {
    f.hub.fault({ when: weights, cutAfter: 100_000 })
    const { dir } = await f.resolve()
    expect(await isWhole(dir)).toBe(true)
    expect(rangesAsked()).toEqual([undefined, 'bytes=100000-'])
    // Conditional: the object must be the one that the first part is of.
    expect(f.hub.requests.filter(weights)[1]?.headers['if-range']).toBe(
      `"cdn-${sha256(WEIGHTS).slice(0, 8)}"`,
    )
  })

  it('as long as each attempt brings bytes', async () => {
    f.hub.fault({ when: weights, cutAfter: 40_000, times: 7 })
    expect(await isWhole((await f.resolve()).dir)).toBe(true)
    expect(rangesAsked()).toHaveLength(8)
  })

  it('after silence, in the headers and in the body', async () => {
    f.hub.fault({ when: ({ file }) => file === 'tokenizer.json', instead: () => {} })
    f.hub.fault({ when: weights, stallAfter: 50_000 })
    expect(await isWhole((await f.resolve()).dir)).toBe(true)
    expect(rangesAsked()).toEqual([undefined, 'bytes=50000-'])
  })

  it('but a slow line is not a silent one', async () => {
    f.hub.fault({ when: weights, slow: { size: 60_000, everyMs: 100 } })
    expect(await isWhole((await f.resolve()).dir)).toBe(true)
    expect(rangesAsked()).toHaveLength(1)
  })

  it('from the start where ranges are not understood', async () => {
    f.hub.fault({ when: weights, cutAfter: 100_000 })
    f.hub.fault({ when: weights, noRange: true })
    expect(await isWhole((await f.resolve()).dir)).toBe(true)
    expect(rangesAsked()).toEqual([undefined, 'bytes=100000-'])
  })

  it('from the start where a range begins elsewhere', async () => {
    f.hub.fault({ when: weights, cutAfter: 100_000 })
    f.hub.fault({ when: weights, shiftRange: 10 })
    // It is seen at once, not by the hash: wrong content may still come once.
    f.hub.fault({ when: weights, flip: 7 })
    expect(await isWhole((await f.resolve()).dir)).toBe(true)
    expect(rangesAsked()).toEqual([undefined, 'bytes=100000-', undefined, undefined])
  })

  it('from the start when the object has changed', async () => {
    f.hub.fault({ when: weights, cutAfter: 100_000 })
    f.hub.fault({
      when: weights,
      instead: (response, { headers }) => {
        if (headers['if-range'] === undefined) return response.destroy()
        return response.writeHead(200, { etag: '"another"', 'content-length': WEIGHTS.length }).end(WEIGHTS)
      },
    })
    expect(await isWhole((await f.resolve()).dir)).toBe(true)
  })

  it('when the content is wrong, once', async () => {
    f.hub.fault({ when: weights, flip: 1234 })
    expect(await isWhole((await f.resolve()).dir)).toBe(true)
    expect(rangesAsked()).toEqual([undefined, undefined])
  })

  it('when too much comes', async () => {
    f.hub.fault({ when: weights, extra: 10 })
    expect(await isWhole((await f.resolve()).dir)).toBe(true)
  })

  it.each([
    ['longer than the file', Buffer.concat([WEIGHTS, WEIGHTS]), [undefined]],
    ['all of it', WEIGHTS, [undefined]],
    ['as long, but wrong', Buffer.alloc(WEIGHTS.length), [undefined, undefined]],
    ['shorter, and wrong', Buffer.alloc(9), ['bytes=9-', undefined]],
    ['its beginning', WEIGHTS.subarray(0, 200_000), ['bytes=200000-']],
    ['empty', Buffer.alloc(0), [undefined]],
  ])('after an earlier process left a part that is %s', async (_, part, ranges) => {
    leavePart('onnx/model.onnx', WEIGHTS, part)
    expect(await isWhole((await f.resolve()).dir)).toBe(true)
    expect(rangesAsked()).toEqual(ranges)
    expect(readdirSync(blobs()).filter((name) => name.includes('incomplete'))).toEqual([])
  })

  it('after an earlier process left a part of a file that the hub itself sends', async () => {
    leavePart('tokenizer.json', TOKENIZER, TOKENIZER.subarray(0, 5))
    const { dir } = await f.resolve({ files: { required: ['tokenizer.json'] } })
    expect(readFileSync(join(dir, 'tokenizer.json')).equals(TOKENIZER)).toBe(true)
    const asked = f.hub.requests.map(({ method, headers }) => [method, headers.range, headers['if-range']])
    expect(asked).toEqual([
      ['HEAD', undefined, undefined],
      ['GET', undefined, undefined],
      ['GET', 'bytes=5-', `"${gitSha1(TOKENIZER)}"`],
    ])
  })

  it('when a range is beyond a file whose size nobody told', async () => {
    leavePart('onnx/model.onnx', WEIGHTS, Buffer.alloc(WEIGHTS.length + 1))
    f.hub.hidesSize = true
    expect(await isWhole((await f.resolve()).dir)).toBe(true)
    expect(rangesAsked()).toEqual([`bytes=${WEIGHTS.length + 1}-`, undefined])
  })

  it.each([408, 429, 500, 502, 503, 504])('after a %d', async (status) => {
    f.hub.fault({ instead: (response) => refuse(response, status, '', 'later') })
    f.hub.fault({ when: weights, instead: (response) => refuse(response, status, '', 'later') })
    expect(await isWhole((await f.resolve()).dir)).toBe(true)
  })

  it('not before the time that Retry-After names', async () => {
    const at: number[] = []
    f.hub.fault({
      when: weights,
      instead: (response) => {
        at.push(performance.now())
        response.writeHead(429, { 'retry-after': '1' }).end()
      },
    })
    await f.resolve()
    expect(performance.now() - (at[0] ?? 0)).toBeGreaterThan(990)
  })

  it('after a link to content that has expired', async () => {
    f.hub.fault({ when: weights, instead: (response) => response.writeHead(403).end('Request has expired') })
    expect(await isWhole((await f.resolve()).dir)).toBe(true)
    expect(f.hub.log().filter((line) => line === 'GET hub onnx/model.onnx')).toHaveLength(2)
  })
})

describe('is DOWNLOAD_FAILED', () => {
  const failsWith = async (message: RegExp, options = {}) => {
    const error = await f.resolve(options).catch((thrown) => thrown)
    expect(error).toMatchObject({
      name: 'MillraceError',
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(message),
    })
    expect(error.cause).toBeInstanceOf(Error)
    expect(existsSync(join(f.cacheDir, 'models--acme--tiny-model/refs/main'))).toBe(false)
    return error
  }

  it('when nobody answers', async () => {
    const error = await failsWith(/tokenizer.json of acme\/tiny-model.*ECONNREFUSED/, {
      endpoint: 'http://127.0.0.1:9',
      files: { required: ['tokenizer.json'] },
    })
    expect(error.cause.cause).toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('when the connection breaks at the same place again and again', async () => {
    f.hub.fault({ when: weights, cutAfter: 100_000, noRange: true, times: 99 })
    await failsWith(/onnx\/model.onnx/)
    expect(rangesAsked()).toHaveLength(FAST.network.attempts)
    // What came is kept for the next time.
    const left = readdirSync(blobs()).find((name) => name.endsWith('.incomplete')) ?? ''
    expect(statSync(join(blobs(), left)).size).toBe(100_000)
    f.hub.reset()
    expect(await isWhole((await f.resolve()).dir)).toBe(true)
    expect(rangesAsked()).toEqual(['bytes=100000-'])
  })

  it('when the hub stays silent', async () => {
    f.hub.fault({ instead: () => {}, times: 99 })
    await failsWith(/nothing came for 1 s/)
  })

  it('when the content is wrong twice, and it is not kept', async () => {
    f.hub.fault({ when: weights, flip: 1234, times: 99 })
    await failsWith(new RegExp(`do not have the hash ${sha256(WEIGHTS)}`))
    expect(rangesAsked()).toHaveLength(2)
    expect(readdirSync(blobs()).filter((name) => name.startsWith(sha256(WEIGHTS)))).toEqual([])
  })

  it('when the wrong bytes have the right length only', async () => {
    f.hub.fault({
      when: ({ file, method }) => file === 'tokenizer.json' && method === 'GET',
      flip: 3,
      times: 99,
    })
    await failsWith(/tokenizer.json do not have the hash/)
  })

  it('when the server wants a longer wait than is sensible', async () => {
    f.hub.fault({ instead: (response) => response.writeHead(429, { 'retry-after': '3600' }).end(), times: 9 })
    const error = await failsWith(/answered 429 \(try again in 3600 s\)/)
    expect(error.cause).toMatchObject({ status: 429, retryAfterMs: 3_600_000 })
    expect(f.hub.requests).toHaveLength(1)
  })

  it('when a token is wanted', async () => {
    f.repo.token = 'hf_secret'
    await failsWith(/answered 401.*HF_TOKEN/)
    const error = await failsWith(/answered 401/, { token: 'hf_wrong' })
    expect(`${error.message}${error.cause.message}`).not.toContain('hf_wrong')
    expect(f.hub.requests).toHaveLength(2)
  })

  it('when its terms were not accepted', async () => {
    Object.assign(f.repo, { token: 'hf_secret', gated: true })
    await failsWith(/only for those who accepted its terms: .*Access is restricted/)
  })

  it('when redirects do not end, lead nowhere, or lead to a weaker scheme', async () => {
    const to = (location: string) =>
      f.hub.fault({ instead: (response) => response.writeHead(302, { location }).end(), times: 99 })
    to('/again')
    await failsWith(/redirected more than 10 times/)
    f.hub.reset()
    to('http://')
    await failsWith(/redirected to no address/)
    f.hub.reset()
    to('ftp://elsewhere/x')
    await failsWith(/redirected from .*to ftp:/)
  })

  it('when the server is no hub', async () => {
    f.hub.fault({
      instead: (response) => response.writeHead(200).end('<html>Sign in to the Wi-Fi</html>'),
      times: 99,
    })
    await failsWith(/it is no model hub/)
    expect(f.hub.requests).toHaveLength(1)
  })

  it('when a status is beyond repair', async () => {
    f.hub.fault({ instead: (response) => response.writeHead(418).end(), times: 99 })
    await failsWith(/answered 418/)
    expect(f.hub.requests).toHaveLength(1)
  })

  it('when it does not fit on the disk', async () => {
    f.hub.fault({
      when: ({ at, file, method }) => at === 'hub' && file === 'tokenizer.json' && method === 'GET',
      instead: (response) =>
        response
          .writeHead(200, { 'x-repo-commit': COMMIT, etag: '"x"', 'x-linked-size': String(2 ** 52) })
          .end(TOKENIZER),
    })
    const call = f.resolve()
    await expect(call).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(/4503599627370496 bytes do not fit on the disk/),
    })
  })

  it('when the cache cannot be made', async () => {
    const file = join(f.home, 'a-file')
    writeFileSync(file, '')
    await failsWith(/a-file.*cannot be used: .*ENOTDIR.*cacheDir/, { cacheDir: join(file, 'cache') })
  })
})

describe('is MODEL_NOT_FOUND', () => {
  it.each([
    [{ revision: 'no-such-branch' }, /'no-such-branch' is not there/],
    [{ revision: '9'.repeat(40) }, /is not there/],
    [{ files: { required: ['no-such-file.onnx'] } }, /'no-such-file.onnx' is not there/],
    [{ files: { required: ['tokenizer.json', 'gone.json'] } }, /'gone.json' is not there/],
  ])('for %o', async (options, message) => {
    const call = f.resolve(options)
    await expect(call).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: expect.stringMatching(message),
    })
    await expect(call).rejects.toHaveProperty('cause')
  })

  it('when the hub says so of the repository', async () => {
    f.hub.fault({ instead: (response) => refuse(response, 404, 'RepoNotFound', 'Repository not found') })
    await expect(f.resolve()).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: expect.stringContaining(`'${REPO}' is not there`),
    })
  })
})

describe('an end that the caller wants', () => {
  const thrown = (call: Promise<unknown>) =>
    call.then(
      () => 'nothing',
      (error) => error,
    )

  it('is the signal’s reason, before, while waiting and while downloading', async () => {
    const reason = new Error('enough')
    expect(await thrown(f.resolve({ signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(f.hub.requests).toEqual([])
    for (const fault of [{ stallAfter: 50_000 }, { stallAfter: 0 }]) {
      const controller = new AbortController()
      let aborted = Number.POSITIVE_INFINITY
      function abort() {
        aborted = performance.now()
        controller.abort(reason)
      }
      f.hub.fault({ when: weights, ...fault })
      const ended = thrown(f.resolve({ signal: controller.signal }))
      const part = new RepoLayout(f.cacheDir, REPO).partial(sha256(WEIGHTS), 'onnx/model.onnx')
      await vi.waitFor(() => expect(statSync(part).size).toBe(50_000), PATIENCE_MS).then(abort)
      expect(await ended).toBe(reason)
      expect(performance.now() - aborted).toBeLessThan(PATIENCE_MS)
    }
    // The lock is free, and what came is used.
    expect(await isWhole((await f.resolve()).dir)).toBe(true)
    expect(rangesAsked().at(-1)).toBe('bytes=50000-')
  })

  it('is the signal’s reason in a pause between attempts', async () => {
    const controller = new AbortController()
    f.hub.fault({ instead: (response) => response.writeHead(503, { 'retry-after': '60' }).end(), times: 9 })
    setTimeout(() => controller.abort('stop'), 50)
    const started = performance.now()
    const timing = { ...FAST, network: { ...FAST.network, retryAfterMostMs: 120_000 } }
    expect(await thrown(f.resolve({ signal: controller.signal }, timing))).toBe('stop')
    expect(performance.now() - started).toBeLessThan(PATIENCE_MS)
  })

  it('is what onProgress throws', async () => {
    const error = Object.assign(new Error('mine'), { code: 'EMINE', syscall: 'none' })
    const onProgress = () => {
      throw error
    }
    expect(await thrown(f.resolve({ onProgress, files: FILES }))).toBe(error)
  })
})
