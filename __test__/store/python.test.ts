/**
 * One cache with the hub's own Python client: what either wrote, the other reads.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { RepoLayout } from '../../src/store/layout.js'
import { ROOT } from '../support/paths.js'
import { hasPython, pythonWith } from '../support/python.js'
import {
  bareEnvironment,
  COMMIT,
  CONTENT,
  FILES,
  fixture,
  REPO,
  TOKENIZER,
  WEIGHTS,
} from './support/fixture.js'
import { sha256 } from './support/hub.js'

/** The client whose layout this is checked against. */
const CLIENT = 'huggingface_hub==1.33.0'

const f = fixture()
let python = ''
beforeAll(() => {
  if (hasPython) python = pythonWith('python-hub', [CLIENT])
}, 300_000)

interface Answer {
  snapshot: string
  inside: boolean
  hashes: Record<string, string>
  absent: boolean[]
  scanned: [string, number][]
  warnings: string[]
}

async function client(
  action: 'read' | 'download',
  files: string[],
  env: Record<string, string>,
  whole = true,
): Promise<Answer> {
  const argument = JSON.stringify({ repo: REPO, files, absent: ['1_Pooling/config.json'], whole })
  const program = join(ROOT, '__test__/store/children/hub_client.py')
  // Python takes an empty variable for a value.
  const settings = Object.keys(bareEnvironment())
  const others = Object.entries(process.env).filter(([name]) => !settings.includes(name))
  const here = { HF_HUB_CACHE: f.cacheDir, HF_HOME: join(f.home, 'hf') }
  const { stdout } = await promisify(execFile)(python, [program, action, argument], {
    env: { ...Object.fromEntries(others), ...here, ...env },
  })
  return JSON.parse(stdout)
}

const OFFLINE = { HF_HUB_OFFLINE: '1', HF_ENDPOINT: 'http://127.0.0.1:9' }
const PRESENT = ['onnx/model.onnx', 'tokenizer.json', 'config.json']

describe.skipIf(!hasPython)('with Python’s client', () => {
  it('a model of ours is complete for it, offline', async () => {
    const { dir } = await f.resolve()
    const found = await client('read', PRESENT, OFFLINE)
    expect(found).toEqual({
      snapshot: dir,
      inside: true,
      hashes: Object.fromEntries(PRESENT.map((file) => [file, sha256(CONTENT[file] as Buffer)])),
      absent: [true],
      scanned: [[REPO, 3]],
      warnings: [],
    })
  })

  it('a model of its is complete for us, offline, and verified', async () => {
    const { snapshot } = await client('download', PRESENT, { HF_ENDPOINT: f.hub.url })
    f.hub.reset()
    const resolved = await f.resolve({ localFilesOnly: true })
    expect(resolved).toEqual({ dir: snapshot, revision: COMMIT, files: PRESENT })
    expect(f.hub.requests).toEqual([])
    // Online only what nobody had asked for yet.
    await f.resolve()
    expect(f.hub.log()).toEqual(['HEAD hub onnx/model.onnx', 'GET hub 1_Pooling/config.json'])

    writeFileSync(join(snapshot, 'tokenizer.json'), TOKENIZER.toString().replace('1', '2'))
    await expect(f.resolve({ localFilesOnly: true })).rejects.toMatchObject({ code: 'MODEL_INVALID' })
    await f.resolve()
    expect((await client('read', PRESENT, OFFLINE, false)).hashes['tokenizer.json']).toBe(sha256(TOKENIZER))
  })

  it('each completes what the other began', async () => {
    const layout = new RepoLayout(f.cacheDir, REPO)
    mkdirSync(layout.blobs, { recursive: true })
    writeFileSync(layout.partial(sha256(WEIGHTS), 'onnx/model.onnx'), WEIGHTS.subarray(0, 1000))
    const { snapshot } = await client('download', ['tokenizer.json'], { HF_ENDPOINT: f.hub.url })
    const { dir } = await f.resolve({ files: { required: FILES.required } })
    expect(dir).toBe(snapshot)
    expect(readFileSync(join(dir, 'onnx/model.onnx')).equals(WEIGHTS)).toBe(true)
    await client('download', PRESENT, { HF_ENDPOINT: f.hub.url })
    expect(readdirSync(layout.blobs)).toHaveLength(3)
    expect((await f.resolve({ localFilesOnly: true })).files).toEqual(PRESENT)
  })
})
