/**
 * Installs a published version from the registry with npm, pnpm, Yarn and Bun, each into an empty project with install
 * scripts off, and uses it there. The package managers come from npm as well.
 *
 *   node scripts/check-published.mjs [VERSION]      default: the version in package.json
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Checks } from '../__test__/install/checks.mjs'
import { npm, ROOT, run, SetupError, script } from './lib/run.mjs'

const TOOLS = join(ROOT, '.millrace', 'package-managers')
const BUN = `@oven/bun-${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}`

/** By name: the package it comes from, its program below node_modules, and the arguments that add a package. */
const MANAGERS = {
  npm: { add: ['install', '--ignore-scripts', '--no-audit', '--no-fund'] },
  pnpm: { from: 'pnpm@10', program: 'pnpm/bin/pnpm.cjs', add: ['add', '--ignore-scripts'] },
  yarn: {
    from: 'yarn@1',
    program: 'yarn/bin/yarn.js',
    add: ['add', '--ignore-scripts', '--non-interactive'],
  },
  bun: { from: BUN, program: `${BUN}/bin/bun`, binary: true, add: ['add', '--ignore-scripts'] },
}

function command({ program, binary, add }, spec) {
  if (program === undefined) return npm(...add, spec)
  const file = join(TOOLS, 'node_modules', program)
  return binary ? [file, ...add, spec] : [process.execPath, file, ...add, spec]
}

await script('check-published', async (args) => {
  const version = args[0] ?? JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version
  mkdirSync(TOOLS, { recursive: true })
  const packages = Object.values(MANAGERS).flatMap(({ from }) => from ?? [])
  const options = [
    '--prefix',
    TOOLS,
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  if (run(npm('install', ...options, ...packages)) !== 0)
    throw new SetupError('the package managers were not installed')

  const checks = new Checks()
  for (const [name, manager] of Object.entries(MANAGERS)) {
    const project = mkdtempSync(join(tmpdir(), `millrace-${name}-`))
    try {
      writeFileSync(
        join(project, 'package.json'),
        '{ "name": "consumer", "private": true, "type": "module" }\n',
      )
      cpSync(join(ROOT, '__test__', 'install', 'consumer'), project, { recursive: true })
      await checks.command(`${name}: install`, command(manager, `millrace@${version}`), project)
      await checks.command(`${name}: ES module`, [process.execPath, 'use.mjs'], project)
      await checks.command(`${name}: CommonJS`, [process.execPath, 'use.cjs'], project)
    } finally {
      rmSync(project, { recursive: true, force: true })
    }
  }
  checks.close()
})
