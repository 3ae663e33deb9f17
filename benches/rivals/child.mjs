/** A contestant's process: commands in, one line of JSON out for each; see node/serve.mjs for the protocol. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'

/** Cores of every contestant. More would measure how each scales, which is another question. */
export const CORES = 2

/** Longest time of one command. The slowest setting of the slowest contestant takes half a minute for 600 texts. */
const PATIENCE_MS = 10 * 60_000

/** Errors kept for the message when a contestant dies. */
const KEPT_ERROR_BYTES = 2000

/** The command, bound to two cores where the machine has more and the system can. */
function pinned(command) {
  if (process.platform !== 'linux' || availableParallelism() <= CORES) return command
  return ['taskset', '-c', `0-${CORES - 1}`, ...command]
}

export class Child {
  #process
  #lines
  #errors = ''
  #gone

  constructor(command, env = {}) {
    const [file, ...args] = pinned(command)
    this.#process = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
    this.#process.stderr.setEncoding('utf8').on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-KEPT_ERROR_BYTES)
    })
    // A contestant that died is told by its missing answer; writing to it must not end us.
    this.#process.stdin.on('error', () => {})
    this.#gone = new Promise((resolve) => {
      this.#process.on('error', (error) => resolve(error.message))
      this.#process.on('close', (code, signal) => resolve(`it ended with ${signal ?? code}`))
    })
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  }

  /** Sends a command and waits for its answer. Rejects with what the contestant said when it has none. */
  async ask(command) {
    this.#process.stdin.write(`${command}\n`)
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE_MS)
    const line = await Promise.race([this.#lines.next(), this.#gone.then(() => ({ done: true }))])
    clearTimeout(timer)
    if (line.done) throw new Error(this.#lastWords(await this.#gone))
    return JSON.parse(line.value)
  }

  /** Peak resident memory so far in bytes; `undefined` where the system does not tell. */
  peakMemory() {
    if (process.platform !== 'linux') return undefined
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8')
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024
  }

  async close() {
    this.#process.stdin.end()
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 10_000)
    await this.#gone
    clearTimeout(timer)
  }

  #lastWords(end) {
    const said = this.#errors.trim().split('\n')
    const error = said.findLast((line) => /error|expected|cannot|not found/i.test(line)) ?? said.at(-1)
    return error === undefined || error === '' ? end : `${error.trim()} (${end})`
  }
}
