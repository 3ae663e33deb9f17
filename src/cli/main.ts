#!/usr/bin/env node
/** The program `millrace`: runs the command line and ends the process with its exit code. */

import { run } from './program.js'
import { say } from './terminal.js'

// A reader that went away shows where the write is awaited; without a listener it would end the process noisily.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

// Node prints warnings with a process id and advice for programmers. Ours are for whoever called the command; that SQLite of Node 22 is
// called experimental is of no use to them.
process.removeAllListeners('warning')
process.on('warning', (warning) => {
  if (warning.name === 'ExperimentalWarning') return
  say(`millrace: warning: ${warning.message}`)
})

// LanceDB tells on standard error, as a warning, of every table that it makes.
process.env['LANCEDB_LOG'] ??= 'error'

run(process.argv).then((code) => {
  // A read of standard input may still be pending and would keep the process alive. Pipes are asynchronous on
  // Windows, so what was written must be out first.
  process.exitCode = code
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
})
