/** Runs a program of `children/` in a process of its own, under a timer that kills it. */

import { type ChildProcess, spawn } from 'node:child_process'
import { child, ROOT } from './paths.js'

export interface ChildOptions {
  args?: readonly string[]
  env?: Readonly<Record<string, string>>
  /** Arguments of Node itself. */
  node?: readonly string[]
  /** A command to run Node under. */
  under?: readonly string[]
  /** The child is killed after this long, and `timedOut` says so. */
  killAfterMs?: number
  /** Called with each piece of output; may send signals. */
  onOutput?: (output: string, process: ChildProcess) => void
}

export interface ChildResult {
  code: number | null
  signal: NodeJS.Signals | null
  timedOut: boolean
  stdout: string
  stderr: string
  /** From start to exit. */
  milliseconds: number
}

/** Far above what any child needs on a busy machine, so only a hang reaches it. */
const KILL_AFTER_MS = 100_000

/** What `loop-turns.mjs` measures: milliseconds of processor time of the event loop's turns. */
export interface LoopTurns {
  p99: number
  max: number
  turns: number
}

export function runChild(name: string, options: ChildOptions = {}): Promise<ChildResult> {
  const { args = [], env = {}, node = [], under = [], killAfterMs = KILL_AFTER_MS, onOutput } = options
  const [command = process.execPath, ...rest] = [...under, process.execPath, ...node, child(name), ...args]
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const running = spawn(command, rest, {
      cwd: ROOT,
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      running.kill('SIGKILL')
    }, killAfterMs)
    running.stdout.setEncoding('utf8').on('data', (piece: string) => {
      stdout += piece
      onOutput?.(stdout, running)
    })
    running.stderr.setEncoding('utf8').on('data', (piece: string) => {
      stderr += piece
    })
    running.on('error', reject)
    running.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, timedOut, stdout, stderr, milliseconds: performance.now() - started })
    })
  })
}

/** Runs a program that must end well, and reads the JSON of its last line. */
export async function reportOf<T>(name: string, options?: ChildOptions): Promise<T> {
  const result = await runChild(name, options)
  if (result.code !== 0) {
    throw new Error(
      `${name} ended with ${result.code ?? result.signal}${result.timedOut ? ' (killed by the timer)' : ''}\n` +
        `${result.stdout}\n${result.stderr}`,
    )
  }
  const last = result.stdout.trim().split('\n').at(-1) ?? ''
  return JSON.parse(last) as T
}
