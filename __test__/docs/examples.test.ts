/** Every code block of README.md and docs/ is checked, and works as it is written: on this version of Node, without a compiler. */
import { execFile, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { Command } from 'commander'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { indexCommand } from '../../src/cli/indexing/command.js'
import { checkConfig } from '../../src/cli/indexing/config.js'
import { goldenHub } from '../support/golden-hub.js'
import { GOLDENS, goldenModel, ROOT } from '../support/paths.js'
import { type Block, readBlocks } from './blocks.js'
import { SCENES } from './scenes.js'

// Each block is a process, some load several models, and the machine may be busy.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const BLOCKS = readBlocks()
const of = (...languages: string[]) => BLOCKS.filter(({ language }) => languages.includes(language))
const CODE = of('ts', 'js')
const SHELL = of('sh')

/** Inside the package, so that `import 'millrace'` means it. */
const MODULES = join(ROOT, '.millrace', `examples-${process.pid}`)

const nameOf = ({ place }: Block) => place.replace(/\W+/g, '-')

const moduleOf = ({ code, scene }: Block) => {
  const { before = '', after = '' } = SCENES[scene] ?? {}
  return `${before}\n${code}\n${after}\nexport {}\n`
}

let env: NodeJS.ProcessEnv
beforeAll(() => {
  mkdirSync(MODULES, { recursive: true })
  for (const block of of('ts')) writeFileSync(join(MODULES, `${nameOf(block)}.ts`), moduleOf(block))
  env = { ...process.env, NODE_OPTIONS: '', ...goldenHub(mkdtempSync(join(tmpdir(), 'millrace-hub-'))) }
})
afterAll(() => rmSync(MODULES, { recursive: true, force: true }))

/** A working directory that has the files which the documents name. */
function workplace(): string {
  const cwd = mkdtempSync(join(tmpdir(), 'millrace-example-'))
  mkdirSync(join(cwd, 'docs'))
  mkdirSync(join(cwd, 'photos'))
  writeFileSync(join(cwd, 'docs', 'disk.md'), '# Disks\n\nResize a partition with parted.\n')
  writeFileSync(join(cwd, 'docs', 'mill.txt'), 'A mill race drives the wheel of a mill.\n')
  const texts = ['Resize a partition with parted.', 'A mill race drives the wheel.', 'Knead the dough.']
  writeFileSync(join(cwd, 'docs.txt'), `${texts.join('\n')}\n`)
  const records = `${texts.map((body) => JSON.stringify({ body })).join('\n')}\n`
  writeFileSync(join(cwd, 'docs.jsonl'), records)
  writeFileSync(join(cwd, 'docs.jsonl.gz'), gzipSync(records))
  cpSync(join(GOLDENS, 'images', 'rgb.png'), join(cwd, 'photos', 'rgb.png'))
  cpSync(goldenModel('bge'), join(cwd, 'bge-small-en-v1.5'), { recursive: true })
  mkdirSync(join(cwd, 'bge-small-en-v1.5', 'onnx'))
  cpSync(
    join(goldenModel('bge'), 'model_optimized.onnx'),
    join(cwd, 'bge-small-en-v1.5', 'onnx', 'model.onnx'),
  )
  return cwd
}

it('has marks that name scenes', () => {
  for (const { place, scene } of BLOCKS) expect(Object.keys(SCENES), place).toContain(scene)
  for (const { place, language } of BLOCKS)
    expect(['ts', 'js', 'sh', 'json', 'python', ''], place).toContain(language)
})

describe('a block of code', () => {
  it('has the right types', () => {
    const config = {
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: {
        rootDir: ROOT,
        noUnusedLocals: false,
        noUnusedParameters: false,
        // Not part of `strict`, and few readers have it.
        noUncheckedIndexedAccess: false,
      },
      include: ['*.ts'],
    }
    writeFileSync(join(MODULES, 'tsconfig.json'), JSON.stringify(config))
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const { stdout } = spawnSync(process.execPath, [tsc, '--noEmit', '-p', MODULES], { encoding: 'utf8' })
    expect(stdout).toBe('')
  })

  it.each(CODE.filter(({ notRun }) => notRun === undefined))('runs: $place', async (block) => {
    // Types go, and nothing else changes: what this Node cannot read, a reader's cannot either.
    const options = {
      target: ts.ScriptTarget.ESNext,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    }
    const { outputText } = ts.transpileModule(moduleOf(block), { compilerOptions: options })
    const file = join(MODULES, `${nameOf(block)}.mjs`)
    writeFileSync(file, outputText)
    await promisify(execFile)(process.execPath, [file], { cwd: workplace(), env })
  })
})

describe('a block of shell', () => {
  const bin = mkdtempSync(join(tmpdir(), 'millrace-bin-'))
  beforeAll(() => {
    const main = join(ROOT, 'dist/esm/src/cli/main.js')
    const programs = {
      millrace: `exec '${process.execPath}' '${main}' "$@"`,
      npx: 'exec "$@"',
      // What is to be installed is there already.
      npm: 'test "$1" = install',
    }
    for (const [name, line] of Object.entries(programs))
      writeFileSync(join(bin, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 })
  })

  it.skipIf(process.platform === 'win32').each(SHELL.filter(({ notRun }) => notRun === undefined))(
    'runs: $place',
    async ({ code }) => {
      const PATH = `${bin}:${process.env['PATH']}`
      await promisify(execFile)('sh', ['-e', '-c', code], { cwd: workplace(), env: { ...env, PATH } })
    },
  )

  it('names options that there are', async () => {
    const lines = SHELL.flatMap(({ code }) => code.split('\n')).filter((line) =>
      /\bmillrace (?!models)/.test(line),
    )
    expect(lines.length).toBeGreaterThan(0)
    const help = new Map<string, string>()
    for (const line of lines) {
      const [, called = ''] = /\bmillrace ((?:bench )?\w+)/.exec(line) ?? []
      const args = [join(ROOT, 'dist/esm/src/cli/main.js'), ...called.split(' '), '--help']
      if (!help.has(called)) help.set(called, (await promisify(execFile)(process.execPath, args)).stdout)
      for (const [option] of line.replace(/#.*/, '').matchAll(/(?<=\s)--[a-z-]+/g))
        expect(help.get(called), line).toContain(option)
    }
  })

  it('names scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }
    for (const { code } of SHELL) {
      for (const [, name = ''] of code.matchAll(/npm (?:run (\S+)|test)/g))
        expect(Object.keys(scripts)).toContain(name || 'test')
    }
  })
})

it('has configurations that the command takes', () => {
  const program = new Command()
  indexCommand(program, () => {})
  const options = program.commands[0]?.options ?? []
  const configurations = of('json')
  expect(configurations.length).toBeGreaterThan(0)
  for (const { place, code } of configurations) {
    expect(Object.keys(checkConfig(place, JSON.parse(code), options))).not.toHaveLength(0)
  }
})
