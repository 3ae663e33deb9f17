/** A small runner for checks that start other programs: one line each, the output of a failed one, a closing sum. */
import { spawnSync } from 'node:child_process'
import { print } from '../../scripts/lib/print.mjs'
import { closingLine } from '../../scripts/lib/tally.mjs'

/** Longest time of one program; a hang is a failure. The slowest one, tsc on a busy machine, needs about 15 s. */
const LIMIT_MS = 120_000

export class Checks {
  passed = 0
  failed = 0

  #count(name, problem) {
    if (problem === undefined) this.passed++
    else this.failed++
    print(`${problem === undefined ? 'ok' : 'FAILED'} ${name}${problem === undefined ? '' : `\n${problem}`}`)
  }

  /** `find` returns the list of what is wrong; empty is good. */
  async that(name, find) {
    try {
      const wrong = await find()
      this.#count(name, wrong.length === 0 ? undefined : wrong.map((line) => `  ${line}`).join('\n'))
    } catch (error) {
      this.#count(name, `  ${error.message}`)
    }
  }

  /** The program must end by itself with 0. Returns its standard output. */
  async command(name, [file, ...args], cwd) {
    const { status, signal, stdout, stderr, error } = spawnSync(file, args, {
      cwd,
      encoding: 'utf8',
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
      // What this repository sets for itself must not help the installed package.
      env: Object.fromEntries(
        Object.entries(process.env).filter(([key]) => !/^(npm_|MILLRACE_|NODE_)/.test(key)),
      ),
    })
    const ended = error?.message ?? (signal === null ? `exit code ${status}` : `signal ${signal}`)
    this.#count(name, status === 0 ? undefined : `  ${ended}\n${stdout}${stderr}`)
    return stdout
  }

  close() {
    print(closingLine(this))
    if (this.failed > 0) process.exitCode = 1
  }
}
