/** The options of the store, checked, and joined with what the environment says. */

import { invalidOption } from '../base/errors.js'
import { isRecord } from '../base/is.js'
import { callback, signal } from '../options/call.js'
import { boolean, type Check, type Checks, nonEmptyString, parseOptions } from '../options/check.js'
import type { DownloadProgress } from '../options/model.js'
import { cacheDirectory, hubEndpoint, offlineReason } from './environment.js'
import { isInside, isRepo, RepoLayout } from './layout.js'

/** Files of a model, as paths in its repository. Nothing else of it is downloaded. */
export interface ModelFiles {
  required: readonly string[]
  /** Taken where the repository has them. */
  optional?: readonly string[] | undefined
}

/** Which model is wanted, from where, to where. */
export interface ResolveOptions {
  /** `organisation/name` on the hub. */
  repo: string
  /** Branch, tag or full commit hash. @default 'main' */
  revision?: string | undefined
  files: ModelFiles
  /** Name by which the command line downloads the same files, for errors. */
  pullAs?: string | undefined
  /** @default FASTEMBED_CACHE_PATH, HF_HUB_CACHE, HF_HOME/hub or ~/.cache/huggingface/hub */
  cacheDir?: string | undefined
  /** Never use the network; HF_HUB_OFFLINE=1 does the same for the process. @default false */
  localFilesOnly?: boolean | undefined
  /**
   * Ask the hub whether the branch or tag has moved. Otherwise a complete copy is taken as it is, and the network is not
   * used. @default false
   */
  refresh?: boolean | undefined
  /** @default HF_TOKEN, or the file that logging in wrote */
  token?: string | undefined
  /** The hub's address. @default HF_ENDPOINT or the public hub */
  endpoint?: string | undefined
  /** Rejects the call with `signal.reason`. What has arrived is kept and continued next time. */
  signal?: AbortSignal | undefined
  onProgress?: ((progress: DownloadProgress) => void) | undefined
}

/** The options with nothing left open. */
export interface ParsedResolve {
  layout: RepoLayout
  revision: string
  required: readonly string[]
  optional: readonly string[]
  pullAs: string | undefined
  /** Why the network is off. */
  offline: string | undefined
  refresh: boolean
  endpoint: string
  token: string | undefined
  signal: AbortSignal | undefined
  onProgress: ((progress: DownloadProgress) => void) | undefined
}

export const repository: Check<string> = (name, value) => {
  if (typeof value !== 'string' || !isRepo(value)) throw invalidOption(name, "'organisation/name'", value)
  return value
}

/** Git's own rules are stricter; this keeps it inside the cache. */
export const gitRevision: Check<string> = (name, value) => {
  if (typeof value !== 'string' || !isInside(value)) throw invalidOption(name, 'branch, tag or commit', value)
  return value
}

/** Paths inside a repository. */
export const filePaths: Check<readonly string[]> = (name, value) => {
  if (!Array.isArray(value)) throw invalidOption(name, 'array of paths', value)
  return value.map((path, i) => {
    if (typeof path !== 'string' || !isInside(path)) {
      throw invalidOption(`${name}[${i}]`, 'relative path inside the repository', path)
    }
    return path
  })
}

const files: Check<ModelFiles> = (name, value) => {
  if (!isRecord(value)) throw invalidOption(name, '{ required, optional? }', value)
  const paths: Check<readonly string[]> = (key, list) => filePaths(`${name}.${key}`, list)
  const parsed = parseOptions<ModelFiles>(name, value, { required: paths, optional: paths })
  if (parsed.required === undefined || parsed.required.length === 0) {
    throw invalidOption(`${name}.required`, 'non-empty array of paths', value['required'])
  }
  return { required: parsed.required, ...(parsed.optional && { optional: parsed.optional }) }
}

const resolveChecks: Checks<ResolveOptions> = {
  repo: repository,
  revision: gitRevision,
  files,
  pullAs: nonEmptyString,
  cacheDir: nonEmptyString,
  localFilesOnly: boolean,
  refresh: boolean,
  token: nonEmptyString,
  endpoint: nonEmptyString,
  signal,
  onProgress: callback,
}

/** Checks the options of `resolveModel`. */
export function parseResolve(options: ResolveOptions): ParsedResolve {
  const parsed = parseOptions<ResolveOptions>('resolveModel', options, resolveChecks)
  const wanted = parsed.files
  if (parsed.repo === undefined) throw invalidOption('repo', "'organisation/name'", undefined)
  if (wanted === undefined) throw invalidOption('files', '{ required, optional? }', undefined)
  const required = [...new Set(wanted.required)]
  return {
    layout: new RepoLayout(cacheDirectory(parsed.cacheDir), parsed.repo),
    revision: parsed.revision ?? 'main',
    required,
    optional: [...new Set(wanted.optional)].filter((file) => !required.includes(file)),
    pullAs: parsed.pullAs,
    offline: offlineReason(parsed.localFilesOnly),
    refresh: parsed.refresh ?? false,
    endpoint: hubEndpoint(parsed.endpoint),
    token: parsed.token,
    signal: parsed.signal,
    onProgress: parsed.onProgress,
  }
}
