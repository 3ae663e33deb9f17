/**
 * Running other programs from the scripts: output passed on or captured, failures as errors with a remedy.
 * Windows needs a shell for npm's .cmd files; nothing here passes untrusted text to one.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { complain } from './print.mjs'

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** An error whose message is meant for the person at the terminal: what is wrong, then what to do. */
export class SetupError extends Error {
  constructor(problem, remedy) {
    super(remedy === undefined ? problem : `${problem}\n  → ${remedy}`)
    this.name = 'SetupError'
  }
}

/** `['npm', ...args]` as a command that works without a shell where npm started us, and with one elsewhere. */
export function npm(...args) {
  const cli = process.env.npm_execpath
  return cli?.endsWith('npm-cli.js') ? [process.execPath, cli, ...args] : ['npm', ...args]
}

/** A program of node_modules, run by this Node. */
export function nodeModule(path, ...args) {
  return [process.execPath, `${ROOT}/node_modules/${path}`, ...args]
}

/** Runs `command` to its end. Returns the exit code; -1 when it could not start. */
export function run(command, { cwd = ROOT, env = {} } = {}) {
  const [file, ...args] = command
  const { status, error } = spawnSync(file, args, {
    cwd,
    stdio: 'inherit',
    env: { ...process.env, ...env },
    shell: process.platform === 'win32' && file === 'npm',
  })
  return error === undefined ? (status ?? -1) : -1
}

/** Output of `command`, or `undefined` when it is missing or fails. */
export function outputOf(command, { cwd = ROOT, env = {} } = {}) {
  const [file, ...args] = command
  const { status, stdout, error } = spawnSync(file, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    // cargo metadata of a large workspace exceeds the default of 1 MiB.
    maxBuffer: 256 * 1024 * 1024,
    shell: process.platform === 'win32' && file === 'npm',
  })
  return error === undefined && status === 0 ? stdout : undefined
}

/** Runs `command`, shows its output as it comes, and returns it too: `{ code, output }`. */
export function tee(command, { cwd = ROOT, env = {}, file } = {}) {
  const [program, ...args] = command
  return new Promise((resolve) => {
    const copy = file === undefined ? undefined : createWriteStream(file)
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['inherit', 'pipe', 'pipe'],
    })
    const chunks = []
    const take = (stream) => (chunk) => {
      chunks.push(chunk)
      copy?.write(chunk)
      stream.write(chunk)
    }
    child.stdout.on('data', take(process.stdout))
    child.stderr.on('data', take(process.stderr))
    const end = (code) => {
      copy?.end()
      resolve({ code, output: Buffer.concat(chunks).toString('utf8') })
    }
    child.on('error', (error) => {
      chunks.push(Buffer.from(`${error.message}\n`))
      complain(error.message)
      end(-1)
    })
    child.on('close', (code) => end(code ?? -1))
  })
}

/** Runs `main` and ends the process with 1 and a readable message when it throws. */
export async function script(name, main) {
  try {
    await main(process.argv.slice(2))
  } catch (error) {
    complain(error instanceof SetupError ? `${name}: ${error.message}` : error.stack)
    process.exitCode = 1
  }
}
