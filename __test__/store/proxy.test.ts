/** Proxies of the environment: real requests through a real proxy. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, it } from 'vitest'
import { resolveInChild } from './support/child.js'
import { FILES, fixture, REPO, WEIGHTS } from './support/fixture.js'

const f = fixture()
const closing: (() => void)[] = []
afterAll(() => {
  for (const close of closing) close()
})

/** What the proxy was asked: `GET url` or `CONNECT host:port`, with the credentials. */
let asked: { what: string; credentials: string | undefined }[] = []
/** Where the hosts that only the proxy knows are. */
const hosts = new Map<string, number>()
let behave: 'well' | 'refuse' | 'silent' = 'well'

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const proxy = await listen(
  createServer((incoming, response) => {
    note('GET', incoming)
    if (behave === 'silent') return
    if (behave === 'refuse') return response.writeHead(407).end()
    const { method, headers } = incoming
    incoming.pipe(
      request(incoming.url ?? '', { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      }),
    )
  }).on('connect', (incoming: IncomingMessage, socket: Socket) => {
    note('CONNECT', incoming)
    socket.on('error', () => {})
    if (behave === 'silent') return
    if (behave === 'refuse') return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    const [host = ''] = (incoming.url ?? '').split(':')
    const onward = connect(hosts.get(host) ?? 1, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
  }),
)

function note(verb: string, { url, headers }: IncomingMessage) {
  asked.push({ what: `${verb} ${url}`, credentials: headers['proxy-authorization'] })
}

beforeEach(() => {
  asked = []
  behave = 'well'
})

const files = { required: ['onnx/model.onnx'] }

it('carries plain HTTP to the hub and to where content lies, with its credentials', async () => {
  process.env['HTTP_PROXY'] = `http://me:s3cret@127.0.0.1:${proxy}`
  const { dir } = await f.resolve()
  expect(readFileSync(join(dir, 'onnx/model.onnx')).equals(WEIGHTS)).toBe(true)
  expect(asked).toHaveLength(f.hub.requests.length)
  expect(asked.some(({ what }) => what.startsWith(`GET ${f.hub.cdn}/`))).toBe(true)
  const basic = `Basic ${Buffer.from('me:s3cret').toString('base64')}`
  expect(new Set(asked.map(({ credentials }) => credentials))).toEqual(new Set([basic]))
})

it('is left out for the hosts of NO_PROXY', async () => {
  process.env['HTTP_PROXY'] = `http://127.0.0.1:${proxy}`
  process.env['NO_PROXY'] = 'localhost, 127.0.0.1'
  await f.resolve()
  expect(asked).toEqual([])
})

it('is left out for HTTP when it is for HTTPS only', async () => {
  process.env['HTTPS_PROXY'] = `http://127.0.0.1:${proxy}`
  await f.resolve()
  expect(asked).toEqual([])
})

it('carries HTTPS through a tunnel, with certificates checked to the end', async () => {
  const keys = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
  closing.push(() => rmSync(keys, { recursive: true }))
  const [key, certificate] = [join(keys, 'key.pem'), join(keys, 'certificate.pem')]
  const subject = ['-subj', '/CN=hub.test', '-addext', 'subjectAltName=DNS:hub.test']
  const made = ['-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', certificate]
  execFileSync('openssl', ['req', '-x509', ...made, ...subject], { stdio: 'ignore' })
  // A hub that only the proxy can find: it hands everything to the plain one.
  const secure = createTlsServer(
    { key: readFileSync(key), cert: readFileSync(certificate) },
    ({ method, url, headers }, response) => {
      request(`${f.hub.url}${url}`, { method, headers }, (answer) => {
        const location = answer.headers.location?.replace(f.hub.cdn, 'https://hub.test/cdn')
        response.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...(location && { location }) })
        answer.pipe(response)
      }).end()
    },
  )
  hosts.set('hub.test', await listen(secure))
  const options = { repo: REPO, files: FILES, cacheDir: f.cacheDir, endpoint: 'https://hub.test' }
  const env = { HTTPS_PROXY: `127.0.0.1:${proxy}` }
  const wanted = { ...options, files: { required: ['tokenizer.json', 'config.json'] } }

  const stranger = await resolveInChild(wanted, { env })
  expect(stranger.last).toMatchObject({
    code: 'DOWNLOAD_FAILED',
    message: expect.stringContaining('certificate'),
  })
  // Asking again would not change it.
  expect(asked).toHaveLength(1)

  const { last } = await resolveInChild(wanted, { env: { ...env, NODE_EXTRA_CA_CERTS: certificate } })
  expect(last.files).toEqual(['tokenizer.json', 'config.json'])
  expect(new Set(asked.map(({ what }) => what))).toEqual(new Set(['CONNECT hub.test:443']))
})

it.each(['refuse', 'silent'] as const)(
  'that does %s is an error without its password',
  async (how) => {
    behave = how
    process.env['HTTP_PROXY'] = `http://me:s3cret@127.0.0.1:${proxy}`
    process.env['HTTPS_PROXY'] = process.env['HTTP_PROXY']
    for (const endpoint of [f.hub.url, 'https://hub.test']) {
      const error = await f.resolve({ files, endpoint }).catch((thrown) => thrown)
      expect(error, endpoint).toMatchObject({ code: 'DOWNLOAD_FAILED' })
      expect(`${error.message} ${error.cause} ${error.cause.cause}`).not.toContain('s3cret')
    }
    expect(asked.length).toBeGreaterThan(1)
    expect(f.hub.requests).toEqual([])
  },
  20_000,
)

it('that is no address is an error', async () => {
  process.env['HTTP_PROXY'] = 'http://a b'
  await expect(f.resolve()).rejects.toMatchObject({
    code: 'DOWNLOAD_FAILED',
    message: expect.stringContaining('proxy of the environment is no URL'),
  })
})
