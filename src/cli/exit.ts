/** How a run ends: the exit codes, and what is printed of an error. Nothing here decides when to fail. */

import { CommanderError } from 'commander'
import { MillraceError } from '../../index.js'
import { isError, codeOf as systemCodeOf } from '../base/foreign.js'

/** Every exit code of every command. */
export const EXIT = {
  ok: 0,
  failure: 1,
  /** A wrong option or argument. */
  usage: 2,
  /** The run is complete, but some rows failed (`--errors collect`). */
  rowsFailed: 3,
  /** 128 + SIGINT, as shells have it. */
  interrupted: 130,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const

/** The table as `--help` shows it. */
export const EXIT_HELP = `
Exit codes: ${EXIT.ok} means success, ${EXIT.failure} failure, ${EXIT.usage} a wrong option or argument, ${EXIT.rowsFailed} that some inputs failed, ${EXIT.interrupted} an interrupt.`

/** The reason of an abort by a signal; it ends the run without a message. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly exitCode: number

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`Interrupted by ${signal}`)
    this.exitCode = signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated
  }
}

/** A wrong option or argument that no single option's parser can see. */
export function usageError(message: string): MillraceError {
  return new MillraceError('INVALID_OPTION', message)
}

/** The reader of our output went away, as `head` does. */
function isBrokenPipe(error: unknown): boolean {
  return systemCodeOf(error) === 'EPIPE'
}

/** The exit code of an error. */
export function exitCodeOf(error: unknown): number {
  if (isBrokenPipe(error)) return EXIT.ok
  if (error instanceof Interrupted) return error.exitCode
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof MillraceError && error.code === 'INVALID_OPTION') return EXIT.usage
  return EXIT.failure
}

/** What is printed of an error: `millrace: CODE: message`, or nothing when there is nothing to say. */
export function errorText(error: unknown, debug: boolean): string | undefined {
  if (isBrokenPipe(error) || error instanceof Interrupted) return undefined
  if (error instanceof CommanderError) {
    // Help and version were printed already.
    if (error.exitCode === 0 || error.code === 'commander.help') return undefined
    return `millrace: INVALID_OPTION: ${error.message.replace(/^error: /, '').replace(/\n\(/, ' (')}`
  }
  if (!isError(error)) return `millrace: INTERNAL: ${String(error)}`
  const code = codeOf(error)
  if (debug) return `millrace: ${code}: ${error.stack ?? error.message}${causeOf(error)}`
  // The system's messages begin with their code.
  return `millrace: ${code}: ${error.message.startsWith(`${code}: `) ? error.message.slice(code.length + 2) : error.message}`
}

/** A code of millrace, or of the system (`ENOENT`, `ENOSPC`), which says more than one of ours would. */
function codeOf(error: Error): string {
  if (error instanceof MillraceError) return error.code
  if ('code' in error && typeof error.code === 'string' && 'syscall' in error) return error.code
  return 'INTERNAL'
}

function causeOf(error: Error): string {
  return isError(error.cause) ? `\ncaused by: ${error.cause.stack ?? error.cause.message}` : ''
}
