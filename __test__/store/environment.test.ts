/** What the environment says: where the cache is, which hub, which token, which proxy, whether there is a network. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { cacheDirectory, hubEndpoint, hubToken, offlineReason, proxyOf } from '../../src/store/environment.js'

const home = mkdtempSync(join(tmpdir(), 'millrace-env-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

it.each([
  ['/option', { FASTEMBED_CACHE_PATH: '/f' }, '/option'],
  [undefined, { FASTEMBED_CACHE_PATH: '/f', HF_HUB_CACHE: '/h' }, '/f'],
  [undefined, { HF_HUB_CACHE: '/h', HUGGINGFACE_HUB_CACHE: '/old', HF_HOME: '/home' }, '/h'],
  [undefined, { HUGGINGFACE_HUB_CACHE: '/old', HF_HOME: '/home' }, '/old'],
  [undefined, { HF_HOME: '/users', XDG_CACHE_HOME: '/x' }, '/users/hub'],
  [undefined, { XDG_CACHE_HOME: '/x' }, '/x/huggingface/hub'],
  [undefined, {}, join(homedir(), '.cache/huggingface/hub')],
  [undefined, { HF_HOME: '~/hf', FASTEMBED_CACHE_PATH: '', HF_HUB_CACHE: ' ' }, join(homedir(), 'hf/hub')],
])('keeps models by option %s and %o in %s', (option, env, directory) => {
  expect(cacheDirectory(option, env)).toBe(directory)
})

it.each([
  [undefined, {}, 'https://huggingface.co'],
  [undefined, { HF_ENDPOINT: 'https://mirror.example/hf/' }, 'https://mirror.example/hf'],
  ['http://127.0.0.1:1', { HF_ENDPOINT: 'https://mirror.example' }, 'http://127.0.0.1:1'],
])('asks the hub of option %s and %o', (option, env, endpoint) => {
  expect(hubEndpoint(option, env)).toBe(endpoint)
})

it.each(['mirror.example', 'file:///x', 'https://user:secret@mirror.example'])(
  'refuses the hub %s',
  (value) => {
    expect(() => hubEndpoint(undefined, { HF_ENDPOINT: value })).toThrow(
      /Expected http or https URL for HF_ENDPOINT/,
    )
  },
)

it.each([
  [true, {}, 'localFilesOnly is true'],
  [false, { HF_HUB_OFFLINE: '1' }, 'HF_HUB_OFFLINE is 1'],
  [undefined, { HF_HUB_OFFLINE: 'yes' }, 'HF_HUB_OFFLINE is yes'],
  [undefined, { TRANSFORMERS_OFFLINE: 'true' }, 'TRANSFORMERS_OFFLINE is true'],
  [undefined, { HF_HUB_OFFLINE: '0' }, undefined],
  [false, {}, undefined],
])('is offline by option %s and %o: %s', (option, env, reason) => {
  expect(offlineReason(option, env)).toBe(reason)
})

describe('the token', () => {
  const HF_HOME = join(home, 'hf')
  mkdirSync(HF_HOME)
  writeFileSync(join(HF_HOME, 'token'), 'hf_login\n')
  writeFileSync(join(home, 'mine'), ' hf_file ')

  it.each([
    ['hf_option', { HF_TOKEN: 'hf_env' }, 'hf_option'],
    [undefined, { HF_TOKEN: 'hf_env', HF_HOME }, 'hf_env'],
    [undefined, { HF_TOKEN_PATH: join(home, 'mine'), HF_HOME }, 'hf_file'],
    [undefined, { HF_HOME }, 'hf_login'],
    [undefined, { HF_HOME: join(home, 'nowhere') }, undefined],
  ])('of option %s and %o is %s', async (option, env, token) => {
    expect(await hubToken(option, env)).toBe(token)
  })

  it('is refused when it cannot be a header, and not repeated', async () => {
    const error = await hubToken(undefined, { HF_TOKEN: 'hf_\u00e9secret' }).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'INVALID_OPTION' })
    expect(error.message).not.toContain('secret')
  })
})

it.each([
  ['https://hub.example/x', {}, undefined],
  ['https://hub.example/x', { HTTPS_PROXY: 'http://p:1' }, 'http://p:1'],
  ['https://hub.example/x', { HTTPS_PROXY: 'http://p:1', https_proxy: 'http://lower:1' }, 'http://lower:1'],
  ['https://hub.example/x', { HTTPS_PROXY: 'p:1' }, 'http://p:1'],
  ['https://hub.example/x', { HTTP_PROXY: 'http://p:1' }, undefined],
  ['http://hub.example/x', { HTTP_PROXY: 'http://p:1' }, 'http://p:1'],
])('reaches %s with %o through %s', (url, env, proxy) => {
  expect(proxyOf(new URL(url), env)).toBe(proxy)
})

it.each([
  ['*', true],
  ['hub.example', true],
  ['example', true],
  ['.example', true],
  ['*.example', true],
  ['HUB.EXAMPLE:443', true],
  ['other, hub.example', true],
  ['other hub.example', true],
  ['hub.example:8443', false],
  ['b.example', false],
  ['hub.example.org', false],
  ['', false],
])('NO_PROXY %s leaves the proxy out: %s', (NO_PROXY, bypassed) => {
  const proxy = proxyOf(new URL('https://hub.example/x'), { HTTPS_PROXY: 'http://p:1', NO_PROXY })
  expect(proxy).toBe(bypassed ? undefined : 'http://p:1')
})

it('NO_PROXY takes IPv6 addresses, bare and with a port', () => {
  for (const no_proxy of ['::1', '[::1]', '[::1]:8080']) {
    expect(proxyOf(new URL('http://[::1]:8080/'), { http_proxy: 'http://p:1', no_proxy })).toBe(undefined)
  }
  expect(proxyOf(new URL('http://[::1]:1/'), { http_proxy: 'http://p:1', no_proxy: '[::1]:8080' })).toBe(
    'http://p:1',
  )
})
