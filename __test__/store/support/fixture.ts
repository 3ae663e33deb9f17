/** A hub, a model on it, a cache of its own: what most tests of the store begin with. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest'
import type { ResolveOptions } from '../../../src/store/options.js'
import { type ResolvedModel, resolveModel, type StoreTiming } from '../../../src/store/resolve.js'
import { type Repo, TestHub } from './hub.js'

export const REPO = 'acme/tiny-model'
export const COMMIT = '1'.repeat(40)
export const NEXT_COMMIT = '2'.repeat(40)

/** Bytes without a pattern, the same every time. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length)
  let state = seed
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/** The weights of the fixture: a few network packets long. */
export const WEIGHTS = noise(300_000)
export const TOKENIZER = Buffer.from('{"version":"1.0"}')

export const CONTENT: Record<string, Buffer> = {
  'onnx/model.onnx': WEIGHTS,
  'tokenizer.json': TOKENIZER,
  'config.json': Buffer.from('{"pad_token_id":0}'),
  // Never asked for.
  'README.md': Buffer.from('# tiny'),
  'pytorch_model.bin': noise(50_000, 2),
}

export const FILES = {
  required: ['onnx/model.onnx', 'tokenizer.json'],
  optional: ['config.json', '1_Pooling/config.json'],
}

/** Impatient, so that failures are quick. */
export const FAST: StoreTiming = {
  network: { attempts: 3, backoff: { firstMs: 10, longestMs: 40 }, retryAfterMostMs: 1_000, stallMs: 1_000 },
  lock: { beatMs: 50, staleMs: 2_000, pollMs: 15 },
}

const VARIABLES = [
  'FASTEMBED_CACHE_PATH',
  'HF_HUB_CACHE',
  'HUGGINGFACE_HUB_CACHE',
  'HF_HOME',
  'XDG_CACHE_HOME',
  'HF_ENDPOINT',
  'HF_TOKEN',
  'HUGGING_FACE_HUB_TOKEN',
  'HF_TOKEN_PATH',
  'HF_HUB_OFFLINE',
  'TRANSFORMERS_OFFLINE',
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
]

/** The store's environment with nothing in it, for children. */
export const bareEnvironment = (): Record<string, string> =>
  Object.fromEntries(VARIABLES.map((name) => [name, '']))

export interface Fixture {
  hub: TestHub
  repo: Repo
  /** An empty cache for each test. */
  cacheDir: string
  /** An empty directory beside it. */
  home: string
  /** Resolves the fixture's model. */
  resolve(options?: Partial<ResolveOptions>, timing?: StoreTiming): Promise<ResolvedModel>
}

/** Sets up the file's tests. */
export function fixture(): Fixture {
  const made: string[] = []
  const f = {
    resolve: (options: Partial<ResolveOptions> = {}, timing = FAST) =>
      resolveModel(
        { repo: REPO, files: FILES, cacheDir: f.cacheDir, endpoint: f.hub.url, ...options },
        timing,
      ),
  } as Fixture
  beforeAll(async () => {
    f.hub = await TestHub.start()
  })
  beforeEach(() => {
    for (const name of VARIABLES) vi.stubEnv(name, '')
    f.home = mkdtempSync(join(tmpdir(), 'millrace-store-'))
    made.push(f.home)
    // Nobody's own token must reach a test.
    vi.stubEnv('HF_HOME', join(f.home, 'hf'))
    f.cacheDir = join(f.home, 'cache')
    f.hub.reset()
    f.hub.repos.clear()
    f.repo = f.hub.add(REPO, COMMIT, CONTENT)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
  })
  afterAll(async () => {
    await f.hub.close()
    for (const path of made) rmSync(path, { recursive: true, force: true })
  })
  return f
}
