/** The test suites by name: what each one is, how it is started, and how its result is read. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { nodeModule, ROOT, tee } from './run.mjs'
import { cargoEnvironment } from './steps.mjs'
import { none, tallyCargo, tallyClosingLine, tallyVitest } from './tally.mjs'

/** Vitest files that are suites of their own. */
const GOLDENS = ['**/__test__/goldens/**', '**/__test__/goldens*.test.ts']

async function vitest(name, args) {
  const directory = join(ROOT, '.millrace')
  const file = join(directory, `vitest-${name}.json`)
  mkdirSync(directory, { recursive: true })
  rmSync(file, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const { code } = await tee(nodeModule('vitest/vitest.mjs', 'run', ...reporters, ...args))
  if (!existsSync(file)) return { tally: none(), code, problem: 'vitest wrote no report' }
  return { tally: tallyVitest(JSON.parse(readFileSync(file, 'utf8'))), code }
}

/** One test for each type-test file and one for the sources; a file with an error has failed. */
async function typeTests() {
  const directory = join('__test__', 'types')
  const files = existsSync(join(ROOT, directory))
    ? readdirSync(join(ROOT, directory)).filter((name) => /\.m?ts$/.test(name))
    : []
  const sources = await tee(nodeModule('typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'))
  const config = join(directory, 'tsconfig.json')
  const tests = await tee(nodeModule('typescript/bin/tsc', '--noEmit', '-p', config))
  const broken = files.filter((name) => tests.output.includes(`${name}(`))
  const failed = (sources.code === 0 ? 0 : 1) + (tests.code === 0 ? 0 : Math.max(1, broken.length))
  if (failed === 0) process.stdout.write(`tsc: sources and ${files.length} type-test files are right\n`)
  return {
    tally: { passed: files.length + 1 - Math.min(failed, files.length + 1), failed, skipped: 0 },
    code: failed === 0 && files.length > 0 ? 0 : 1,
    problem: files.length === 0 ? `${directory} holds no type tests` : undefined,
  }
}

export const SUITES = {
  rust: {
    what: 'cargo test of the workspace, release profile',
    async run(filters) {
      const command = ['cargo', 'test', '--release', '--workspace', '--no-fail-fast']
      const { code, output } = await tee([...command, ...(filters.length > 0 ? ['--', ...filters] : [])], {
        env: { ...cargoEnvironment(), CARGO_TERM_PROGRESS_WHEN: 'never' },
      })
      return { tally: tallyCargo(output), code }
    },
  },
  types: { what: 'TypeScript compiler on the sources and on __test__/types', run: typeTests },
  ts: {
    what: 'vitest, the public API and its parts',
    run: (filters) => vitest('ts', [...GOLDENS.flatMap((glob) => ['--exclude', glob]), ...filters]),
  },
  goldens: {
    what: 'vitest, vectors against those of Python FastEmbed',
    run: (filters) => vitest('goldens', ['__test__/goldens', ...filters]),
  },
  install: {
    what: 'packed packages in empty projects, on several Node versions',
    async run() {
      const { code, output } = await tee([process.execPath, join(ROOT, '__test__', 'install', 'run.mjs')])
      return { tally: tallyClosingLine(output), code }
    },
  },
}
