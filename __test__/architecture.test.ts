/**
 * Which room may know which, checked against what the sources really do: crate dependencies from `cargo metadata`,
 * TypeScript imports from the compiler's scanner. The tables below are the rule; ARCHITECTURE.md explains it.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..')

interface Edge {
  from: string
  to: string
}

/** For each room, the rooms it may know. A room that is not listed is a mistake of its own. */
type Rooms = Record<string, readonly string[]>

/** Crates of the workspace by package name. */
const CRATES: Rooms = {
  'millrace-contract': [],
  'millrace-text': ['millrace-contract'],
  'millrace-core': ['millrace-contract', 'millrace-text'],
  'millrace-ort': ['millrace-contract'],
  'millrace-node': ['millrace-contract', 'millrace-text', 'millrace-core', 'millrace-ort'],
  'millrace-goldens': ['millrace-contract', 'millrace-text', 'millrace-core', 'millrace-ort'],
  'millrace-benches': ['millrace-contract', 'millrace-text', 'millrace-core', 'millrace-ort'],
}

/** Boundary crates and their only user. */
const BOUNDARIES: Record<string, string> = {
  ort: 'millrace-ort',
  'ort-sys': 'millrace-ort',
  libloading: 'millrace-ort',
  napi: 'millrace-node',
  'napi-derive': 'millrace-node',
  'napi-build': 'millrace-node',
}

/** TypeScript: the public face, its parts, the folder that knows the addon, and the programs built on the face. */
const FOLDERS: Rooms = {
  'index.ts': ['src'],
  src: ['src/binding'],
  'src/binding': ['src'],
  'src/cli': ['index.ts', 'src'],
  'src/adapters': ['index.ts'],
}

/** Frameworks, which only adapters may import as they are; all else takes optional packages through `src/peers`. */
const FRAMEWORKS =
  /^(@langchain|@ai-sdk|@llamaindex|@lancedb|chromadb|pg|@qdrant|apache-arrow|hyparquet|csv-parse|@opentelemetry)\b/

/** What only one folder may touch: the addon file and the packages that carry it. */
const ADDON = /\.node$|^@millrace\/(linux|darwin|win32)-/

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

/** The most specific room a file lies in. */
function roomOf(file: string): string {
  const path = relative(ROOT, file).split(sep).join('/')
  const rooms = Object.keys(FOLDERS).filter((room) => path === room || path.startsWith(`${room}/`))
  return rooms.sort((a, b) => b.length - a.length)[0] ?? path
}

function sourceFiles(): string[] {
  const inside = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  return [
    join(ROOT, 'index.ts'),
    ...inside.filter((name) => name.endsWith('.ts')).map((name) => join(ROOT, 'src', name)),
  ]
}

function importsOf(file: string): string[] {
  return ts
    .preProcessFile(readFileSync(file, 'utf8'), true, true)
    .importedFiles.map(({ fileName }) => fileName)
}

function typescriptEdges(): Edge[] {
  return sourceFiles().flatMap((file) =>
    importsOf(file)
      .filter((name) => name.startsWith('.'))
      .map((name) => ({ from: roomOf(file), to: roomOf(join(dirname(file), name.replace(/\.js$/, '.ts'))) })),
  )
}

describe('crates', () => {
  const { inside, all, names } = crateEdges()

  it('are all in the table', () => {
    expect(names.sort()).toEqual(Object.keys(CRATES).sort())
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
  it('imports only from rooms it may know', () => {
    const edges = typescriptEdges()
    expect(edges.filter(({ from }) => from === 'index.ts').length).toBeGreaterThan(0)
    expect(wrongEdges(FOLDERS, edges)).toEqual([])
  })

  it('touches the addon in src/binding only', () => {
    const users = sourceFiles().filter((file) => importsOf(file).some((name) => ADDON.test(name)))
    expect(users.filter((file) => roomOf(file) !== 'src/binding')).toEqual([])
  })

  it('imports frameworks in src/adapters only', () => {
    const users = sourceFiles().filter((file) => importsOf(file).some((name) => FRAMEWORKS.test(name)))
    expect(users.length).toBeGreaterThan(3)
    expect(users.filter((file) => roomOf(file) !== 'src/adapters')).toEqual([])
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
    expect(wrongEdges(FOLDERS, [{ from: 'src', to: 'index.ts' }])).toEqual(['src → index.ts'])
    expect(wrongEdges(FOLDERS, [{ from: 'src', to: 'src/cli' }])).toEqual(['src → src/cli'])
  })

  it('finds a room nobody listed', () => {
    expect(wrongEdges(CRATES, [{ from: 'millrace-new', to: 'millrace-contract' }])).toHaveLength(1)
  })

  it('finds a second user of a boundary crate', () => {
    expect(strangersAt(BOUNDARIES, [{ from: 'millrace-core', to: 'ort' }])).toEqual(['millrace-core → ort'])
    expect(strangersAt(BOUNDARIES, [{ from: 'millrace-ort', to: 'ort' }])).toEqual([])
  })
})
