/**
 * What the environment says about the hub and its cache, in the words of the hub's own clients, so that a machine
 * set up for them is set up for this. Nothing here touches the network.
 */

import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { invalidOption, MillraceError } from '../base/errors.js'
import { reasonOf } from '../base/foreign.js'

/** Environment variables by name; empty ones count as absent. */
export type Environment = Readonly<Record<string, string | undefined>>

const PUBLIC_HUB = 'https://huggingface.co'

function given(env: Environment, ...names: string[]): string | undefined {
  return names.map((name) => env[name]?.trim()).find((value) => value !== undefined && value !== '')
}

/**
 * The home directory. A container may run with a user id that has no entry in its list of users and without HOME; then there is none, and
 * `homedir` throws. So nothing may ask for it that has been told another place.
 *
 * @throws MillraceError INVALID_OPTION, with the settings that make it unnecessary.
 */
function home(): string {
  try {
    return homedir()
  } catch (cause) {
    throw new MillraceError(
      'INVALID_OPTION',
      'Expected a directory for cacheDir, FASTEMBED_CACHE_PATH, HF_HUB_CACHE or HF_HOME but received none, and this user has no home ' +
        `directory: HOME is not set, and the system knows no user of this id (${reasonOf(cause)})`,
      { cause },
    )
  }
}

/** `~` is expanded by shells, but not in an `.env` file or a container's settings. */
function path(value: string): string {
  return resolve(/^~(?=$|[/\\])/.test(value) ? join(home(), value.slice(1)) : value)
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && ['1', 'ON', 'YES', 'TRUE'].includes(value.toUpperCase())
}

function hubHome(env: Environment): string {
  const hub = given(env, 'HF_HOME')
  if (hub !== undefined) return path(hub)
  return join(path(given(env, 'XDG_CACHE_HOME') ?? join(home(), '.cache')), 'huggingface')
}

/**
 * Where models are kept: the option, else FASTEMBED_CACHE_PATH (the most specific to embeddings), HF_HUB_CACHE,
 * HUGGINGFACE_HUB_CACHE, HF_HOME/hub, XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub. Never a temporary directory.
 */
export function cacheDirectory(option: string | undefined, env: Environment = process.env): string {
  const named = option ?? given(env, 'FASTEMBED_CACHE_PATH', 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE')
  return named === undefined ? join(hubHome(env), 'hub') : path(named)
}

/** The hub's address without a slash at its end: the option, HF_ENDPOINT, or the public hub. */
export function hubEndpoint(option: string | undefined, env: Environment = process.env): string {
  const fromEnv = given(env, 'HF_ENDPOINT')
  const value = option ?? fromEnv ?? PUBLIC_HUB
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '') {
    throw invalidOption(option === undefined ? 'HF_ENDPOINT' : 'endpoint', 'http or https URL', value)
  }
  return url.href.replace(/\/+$/, '')
}

/** Why the network is off, in words, or `undefined` when it is not. The environment cannot be overruled. */
export function offlineReason(
  localFilesOnly: boolean | undefined,
  env: Environment = process.env,
): string | undefined {
  for (const name of ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE']) {
    if (isTrue(given(env, name))) return `${name} is ${env[name]}`
  }
  return localFilesOnly === true ? 'localFilesOnly is true' : undefined
}

/** What logging in wrote; empty where it wrote nothing, or where there is no home directory to write to. */
async function writtenToken(env: Environment): Promise<string> {
  try {
    return await readFile(path(given(env, 'HF_TOKEN_PATH') ?? join(hubHome(env), 'token')), 'utf8')
  } catch {
    return ''
  }
}

/** The token: the option, HF_TOKEN, or the file that logging in wrote (HF_TOKEN_PATH, HF_HOME/token). */
export async function hubToken(
  option: string | undefined,
  env: Environment = process.env,
): Promise<string | undefined> {
  const named = option ?? given(env, 'HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN')
  const token = named ?? (await writtenToken(env)).trim()
  if (token === '') return undefined
  // It becomes a header. The value is not repeated in the error: it is a secret.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw invalidOption('token', 'printable ASCII without spaces', undefined)
  }
  return token
}

/**
 * The proxy of a URL (HTTPS_PROXY or HTTP_PROXY by its scheme), unless NO_PROXY names its host.
 *
 * undici's EnvHttpProxyAgent was tried in its place. In the versions that run on Node 20.17 it prints a warning in every process
 * that downloads, sends HTTPS through HTTP_PROXY, and takes `example.com` in NO_PROXY for that one host, where curl and
 * Python take it for its subdomains too.
 */
export function proxyOf(url: URL, env: Environment = process.env): string | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  // Lower case first, as curl has it.
  const proxy = given(env, name.toLowerCase(), name)
  if (proxy === undefined || bypassesProxy(url, given(env, 'no_proxy', 'NO_PROXY') ?? '')) return undefined
  return /^\w+:\/\//.test(proxy) ? proxy : `http://${proxy}`
}

/** `*`, a host, a domain (with or without `.` or `*.` before it) whose hosts are all meant, each with or without a port. */
function bypassesProxy(url: URL, list: string): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, '')
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true
      const [, name = '', itsPort] =
        /^\[?(.*?)\]?(?::(\d+))?$/.exec(isBareIpv6(entry) ? `[${entry}]` : entry) ?? []
      const domain = name.replace(/^\*?\./, '')
      return (itsPort ?? port) === port && (host === domain || host.endsWith(`.${domain}`))
    })
}

/** Without brackets, so that its colons are no port's. */
function isBareIpv6(entry: string): boolean {
  return /^[\da-f]*:[\da-f]*:[\da-f:.]*$/.test(entry)
}
