/** What the documents say of the sources is so: files that they name exist, and lists that stand twice are equal. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../support/paths.js'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** Documents shorten `crates/core/src/x.rs` to `core/x.rs` and `src/cache/x.ts` to `x.ts` where the folder was just named. */
function exists(name: string): boolean {
  if (existsSync(join(ROOT, name))) return true
  const [crate = '', ...rest] = name.split('/')
  if (existsSync(join(ROOT, 'crates', crate, 'src', ...rest))) return true
  if (existsSync(join(ROOT, 'crates', crate, ...rest))) return true
  return sources.some((path) => path.endsWith(`/${name}`))
}

const sources = ['src', 'crates', '__test__', 'scripts', 'benches', 'docs'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.includes('node_modules'))
    .map((path) => `${folder}/${path}`),
)

describe.each(['ARCHITECTURE.md', 'CONTRIBUTING.md', 'benches/README.md'])('%s', (document) => {
  it('names only files that exist', () => {
    const named = read(document).match(/[\w.@-]*[\w/.-]+\.(rs|ts|mts|cts|mjs|json)\b/g) ?? []
    expect(named.length).toBeGreaterThan(3)
    // What is installed or made, and not part of the repository.
    const elsewhere = /^(tokenizer|config|package|package-lock|[a-z_]*config)\.json$|dist\//
    expect([...new Set(named)].filter((name) => !elsewhere.test(name) && !exists(name))).toEqual([])
  })
})

describe('error codes', () => {
  const quoted = (text: string) => [...text.matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code)
  const [core = '', own = ''] = read('src/base/errors.ts')
    .split('export type ')
    .filter((part) => /^(NativeErrorCode|ErrorCode) =/.test(part))
    .map((part) => part.split('\n\n')[0] as string)

  it('of the core are the same in Rust and in TypeScript', () => {
    const rust = [...read('crates/contract/src/error.rs').matchAll(/Self::\w+ => "([A-Z_]+)"/g)].map(
      ([, code]) => code,
    )
    expect(rust.length).toBeGreaterThan(10)
    expect(quoted(core).sort()).toEqual(rust.sort())
  })

  it('are all named in README.md', () => {
    const missing = [...quoted(core), ...quoted(own)].filter(
      (code) => !read('README.md').includes(`\`${code}\``),
    )
    expect(quoted(own).length).toBeGreaterThan(3)
    expect(missing).toEqual([])
  })
})
