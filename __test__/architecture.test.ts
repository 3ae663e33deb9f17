/**
 * Which room may know which, checked against what the sources really do: crate dependencies from `cargo metadata`,
 * TypeScript imports by dependency-cruiser. The rules are the table below and `.dependency-cruiser.mjs`;
 * ARCHITECTURE.md explains them.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import rules from '../.dependency-cruiser.mjs'

const ROOT = join(import.meta.dirname, '..')

interface Edge {
  from: string
  to: string
}

/** For each room, the rooms it may know. A room that is not listed is a mistake of its own. */
type Rooms = Record<string, readonly string[]>

/** What a crate may know that puts the engines together. */
const ENGINES = ['millrace-contract', 'millrace-text', 'millrace-core', 'millrace-ort', 'millrace-encoder']

/** Crates of the workspace by package name. */
const CRATES: Rooms = {
  'millrace-contract': [],
  'millrace-text': ['millrace-contract'],
  'millrace-decoders': [],
  'millrace-core': ['millrace-contract', 'millrace-text', 'millrace-decoders'],
  'millrace-ort': ['millrace-contract'],
  'millrace-kernels': [],
  'millrace-encoder': ['millrace-contract', 'millrace-kernels'],
  'millrace-node': ENGINES,
  'millrace-goldens': ENGINES,
  'millrace-benches': [...ENGINES, 'millrace-kernels'],
}

/** Boundary crates and their only user. */
const BOUNDARIES: Record<string, string> = {
  ort: 'millrace-ort',
  'ort-sys': 'millrace-ort',
  libloading: 'millrace-ort',
  'libwebp-sys': 'millrace-decoders',
  'mozjpeg-sys': 'millrace-decoders',
  napi: 'millrace-node',
  'napi-derive': 'millrace-node',
  'napi-build': 'millrace-node',
}

/** The edges no table entry allows; an edge within a room is always fine. */
function wrongEdges(rooms: Rooms, edges: readonly Edge[]): string[] {
  return edges
    .filter(({ from, to }) => from !== to && !(rooms[from]?.includes(to) ?? false))
    .map(({ from, to }) => `${from} → ${to}`)
}

/** Users of a boundary crate that are not its owner. */
function strangersAt(boundaries: Record<string, string>, edges: readonly Edge[]): string[] {
  return edges
    .filter(({ from, to }) => Object.hasOwn(boundaries, to) && boundaries[to] !== from)
    .map(({ from, to }) => `${from} → ${to}`)
}

interface CargoPackage {
  name: string
  dependencies: { name: string; path?: string }[]
}

function crateEdges(): { inside: Edge[]; all: Edge[]; names: string[] } {
  const args = ['metadata', '--format-version', '1', '--no-deps', '--offline']
  const output = execFileSync('cargo', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  const packages = (JSON.parse(output) as { packages: CargoPackage[] }).packages
  const edges = packages.flatMap(({ name, dependencies }) =>
    dependencies.map((dependency) => ({
      from: name,
      to: dependency.name,
      inside: dependency.path !== undefined,
    })),
  )
  return { inside: edges.filter((edge) => edge.inside), all: edges, names: packages.map(({ name }) => name) }
}

/** What dependency-cruiser finds wrong with `files`, as "rule: from → to". */
async function wrongImports(files: string[], base: string): Promise<string[]> {
  const { output } = await cruise(files, {
    ...structuredClone(rules.options),
    baseDir: base,
    ruleSet: { forbidden: structuredClone(rules.forbidden) },
    validate: true,
  } as ICruiseOptions)
  const { modules, summary } = output as ICruiseResult
  expect(modules.length).toBeGreaterThan(1)
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)
}

describe('crates', () => {
  const { inside, all, names } = crateEdges()

  it('are all in the table', () => {
    expect(names.filter((name) => !Object.hasOwn(CRATES, name))).toEqual([])
    expect(names.length).toBeGreaterThan(5)
  })

  it('depend only on rooms they may know', () => {
    expect(inside.length).toBeGreaterThan(3)
    expect(wrongEdges(CRATES, inside)).toEqual([])
  })

  it('reach ONNX Runtime and Node-API through one crate each', () => {
    expect(all.some(({ from, to }) => from === 'millrace-ort' && to === 'ort')).toBe(true)
    expect(all.some(({ from, to }) => from === 'millrace-node' && to === 'napi')).toBe(true)
    expect(strangersAt(BOUNDARIES, all)).toEqual([])
  })
})

describe('TypeScript', () => {
  it('imports only from rooms it may know, and in no circle', async () => {
    expect(await wrongImports(['index.ts', 'src'], ROOT)).toEqual([])
  })

  it('has a face that only exports', () => {
    const source = ts.createSourceFile(
      'index.ts',
      readFileSync(join(ROOT, 'index.ts'), 'utf8'),
      ts.ScriptTarget.ES2022,
    )
    expect(
      source.statements
        .filter((statement) => !ts.isExportDeclaration(statement))
        .map((s) => ts.SyntaxKind[s.kind]),
    ).toEqual([])
  })
})

describe('the checker', () => {
  it('finds an arrow turned around', () => {
    expect(wrongEdges(CRATES, [{ from: 'millrace-contract', to: 'millrace-core' }])).toEqual([
      'millrace-contract → millrace-core',
    ])
  })

  /** A tree of sources as small as can be, in a folder of its own. */
  async function wrongIn(sources: Record<string, string>): Promise<string[]> {
    const base = mkdtempSync(join(tmpdir(), 'millrace-arrows-'))
    try {
      writeFileSync(join(base, 'tsconfig.json'), '{}')
      for (const [file, source] of Object.entries(sources)) {
        mkdirSync(dirname(join(base, file)), { recursive: true })
        writeFileSync(join(base, file), source)
      }
      return await wrongImports(['src'], base)
    } finally {
      rmSync(base, { recursive: true })
    }
  }

  it.each([
    ['a value', "import { b } from '../families/b.js'\nexport const a = b\n"],
    ['a type alone', "import type { b } from '../families/b.js'\nexport type A = typeof b\n"],
  ])('finds an arrow of TypeScript turned around by %s', async (_, source) => {
    const sources = { 'src/stream/a.ts': source, 'src/families/b.ts': 'export const b = 1\n' }
    expect(await wrongIn(sources)).toEqual(['room-stream: src/stream/a.ts → src/families/b.ts'])
  })

  it('finds a file outside the rooms', async () => {
    const sources = {
      'src/loose.ts': "export { b } from './base/b.js'\n",
      'src/base/b.ts': 'export const b = 1\n',
    }
    expect(await wrongIn(sources)).toContain('no-unlisted-room: src/loose.ts → src/base/b.ts')
  })

  it('finds a circle', async () => {
    const sources = {
      'src/base/a.ts': "import { b } from './b.js'\nexport const a = () => b\n",
      'src/base/b.ts': "import { a } from './a.js'\nexport const b = () => a\n",
    }
    expect((await wrongIn(sources)).filter((line) => line.startsWith('no-circle'))).toHaveLength(1)
  })

  it('finds a pipeline that knows a sink, and a sink that knows more than the contract', async () => {
    const sources = {
      'src/pipeline/run.ts': "export { x } from './sinks/x.js'\n",
      'src/pipeline/sinks/x.ts': "import { y } from '../journal.js'\nexport const x = y\n",
      'src/pipeline/journal.ts': 'export const y = 1\n',
    }
    expect((await wrongIn(sources)).sort()).toEqual([
      'pipeline-knows-no-sink-and-no-source: src/pipeline/run.ts → src/pipeline/sinks/x.ts',
      'sinks-and-sources-know-the-contract: src/pipeline/sinks/x.ts → src/pipeline/journal.ts',
    ])
  })

  it('finds a room nobody listed', () => {
    expect(wrongEdges(CRATES, [{ from: 'millrace-new', to: 'millrace-contract' }])).toHaveLength(1)
  })

  it('finds a second user of a boundary crate', () => {
    expect(strangersAt(BOUNDARIES, [{ from: 'millrace-core', to: 'ort' }])).toEqual(['millrace-core → ort'])
    expect(strangersAt(BOUNDARIES, [{ from: 'millrace-ort', to: 'ort' }])).toEqual([])
  })
})
