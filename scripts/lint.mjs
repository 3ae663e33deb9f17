/**
 * Everything that judges the sources without running them; `--fix` formats instead. One line a check, then the sum.
 *
 *   node scripts/lint.mjs [--fix]
 */

import { print } from './lib/print.mjs'
import { nodeModule, run, SetupError, script } from './lib/run.mjs'
import { fileLengths, foreignText } from './lib/source-rules.mjs'
import { cargoEnvironment } from './lib/steps.mjs'
import { closingLine } from './lib/tally.mjs'

const biome = (...args) => nodeModule('@biomejs/biome/bin/biome', ...args)

const FIXES = {
  rustfmt: ['cargo', 'fmt', '--all'],
  biome: biome('check', '--write'),
}

const CHECKS = {
  rustfmt: ['cargo', 'fmt', '--all', '--check'],
  clippy: ['cargo', 'clippy', '--quiet', '--release', '--workspace', '--all-targets', '--', '-D', 'warnings'],
  biome: biome(process.env.CI === undefined ? 'check' : 'ci', '--error-on-warnings'),
  knip: nodeModule('knip/bin/knip.js', '--exclude', 'binaries'),
  tsc: nodeModule('typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'),
  'file lengths': fileLengths,
  'foreign text': foreignText,
}

await script('lint', async (args) => {
  if (args.some((arg) => arg !== '--fix'))
    throw new SetupError(`Expected --fix but received ${args.join(' ')}`)
  const result = { passed: 0, failed: 0 }
  for (const [name, check] of Object.entries(args.includes('--fix') ? FIXES : CHECKS)) {
    const good = typeof check === 'function' ? check(print) : run(check, { env: cargoEnvironment() }) === 0
    print(`${good ? 'ok' : 'FAILED'} ${name}`)
    if (good) result.passed++
    else result.failed++
  }
  print(closingLine(result))
  if (result.failed > 0) process.exitCode = 1
})
