/** Runs the built command line in a process of its own, in a folder of its own, as users do. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, vi } from 'vitest'
import { ROOT } from '../support/paths.js'

/** Built by set-up, which every npm script runs first. */
const MAIN = join(ROOT, 'dist/esm/src/cli/main.js')

/** Far above what any run needs on a busy machine, so only a hang reaches it. */
const KILL_AFTER_MS = 120_000

/** A test starts up to ten processes one after the other; the one that hangs must be killed, and named, before the test ends. */
const TEST_MS = 600_000

vi.setConfig({ testTimeout: TEST_MS })

export interface Result {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: Buffer
  stderr: string
}

export interface Options {
  cwd: string
  /** Standard input: all of it, or pieces until they end. Nothing when absent. */
  input?: string | Buffer | AsyncIterable<string>
  env?: Record<string, string>
  /** Another copy of the program. */
  main?: string
  /** Called when it runs; may send signals or close its output. */
  onStart?: (child: ChildProcess) => void
}

/** An empty folder, removed after the file's tests. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  afterAll(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export function cli(
  args: readonly string[],
  { cwd, input, env = {}, main = MAIN, onStart }: Options,
): Promise<Result> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const stdout: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => {}) // it may end before it has read everything
  void feed(child.stdin, input)
  onStart?.(child)
  const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, stdout: Buffer.concat(stdout), stderr })
    })
  })
}

async function feed(stdin: NodeJS.WritableStream, input: Options['input']): Promise<void> {
  if (input !== undefined && typeof input !== 'string' && !Buffer.isBuffer(input)) {
    for await (const piece of input) {
      if (!stdin.writable) return
      await new Promise<void>((resolve) => stdin.write(piece, () => resolve()))
    }
  }
  stdin.end(typeof input === 'string' || Buffer.isBuffer(input) ? input : '')
}

/** The JSON records of an output. */
// biome-ignore lint/suspicious/noExplicitAny: records of several shapes, each checked by what it holds
export function records(jsonl: Buffer | string): any[] {
  return String(jsonl)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}
