#!/usr/bin/env node
/** The program `millrace`: runs the command line and ends the process with its exit code. */

import { run } from './program.js'

// A reader that went away shows where the write is awaited; without a listener it would end the process noisily.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

// LanceDB tells on standard error, as a warning, of every table that it makes.
process.env['LANCEDB_LOG'] ??= 'error'

run(process.argv).then((code) => {
  // A read of standard input may still be pending and would keep the process alive. Pipes are asynchronous on
  // Windows, so what was written must be out first.
  process.exitCode = code
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
})
