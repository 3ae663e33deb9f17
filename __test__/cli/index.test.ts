/** `millrace index` and `millrace search` over stores, through the built command, as a user calls them. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cli, folder, records } from './cli.js'

/** A folder of pages about different things. */
function pages(cwd: string): void {
  mkdirSync(join(cwd, 'docs', 'more'), { recursive: true })
  writeFileSync(join(cwd, 'docs', 'disk.md'), '# Disks\n\n## Partitions\n\nResize a partition with parted.\n')
  writeFileSync(
    join(cwd, 'docs', 'bread.html'),
    '<title>Bread</title><h1>Bread</h1><p>Knead the dough and let it rise.</p>',
  )
  writeFileSync(join(cwd, 'docs', 'more', 'mill.txt'), 'A mill race drives the water wheel of a mill.\n')
}

const summary = (stdout: Buffer) => JSON.parse(String(stdout)) as Record<string, number>

describe('millrace index', () => {
  it('brings a folder into LanceDB, finds it, and embeds one changed file only', async () => {
    const cwd = folder()
    pages(cwd)
    const to = ['--to', 'lancedb:./db/docs']
    const first = await cli(['index', 'docs', ...to], { cwd })
    expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining('3 documents written') })
    expect(first.stderr).not.toContain('WARN')
    const found = await cli(
      ['search', '--index', 'lancedb:./db/docs', '--top', '2', 'enlarge', 'a', 'disk partition'],
      { cwd },
    )
    expect(found.code).toBe(0)
    const [line] = String(found.stdout).split('\n')
    expect(line).toContain('disk.md › Disks › Partitions')
    appendFileSync(join(cwd, 'docs', 'more', 'mill.txt'), 'Its water turns the stones.\n')
    const again = await cli(['index', 'docs', ...to, '--json'], { cwd })
    expect(summary(again.stdout)).toMatchObject({ written: 1, replaced: 1, unchanged: 2, chunks: 1 })
    rmSync(join(cwd, 'docs', 'bread.html'))
    const pruned = await cli(['index', 'docs', ...to, '--prune', '--json'], { cwd })
    expect(summary(pruned.stdout)).toMatchObject({ written: 0, unchanged: 2, pruned: 1 })
    const left = await cli(['search', '--index', 'lancedb:./db/docs', '--json', 'bread'], { cwd })
    const ids = (JSON.parse(String(left.stdout)).results as { documentId: string }[]).map(
      ({ documentId }) => documentId,
    )
    expect([...new Set(ids)].sort()).toEqual(['docs/disk.md', 'docs/more/mill.txt'])
  })

  it('takes a configuration, whose words options win over', async () => {
    const cwd = folder()
    pages(cwd)
    const config = { inputs: 'docs', to: 'out.db', sparse: true, dtype: 'int8', chunkTokens: 64, quiet: true }
    writeFileSync(join(cwd, 'index.json'), JSON.stringify(config))
    expect(await cli(['index', 'index.json'], { cwd })).toMatchObject({ code: 0, stderr: '' })
    const found = await cli(['search', '--index', 'out.db', '--top', '1', '--json', 'sourdough'], { cwd })
    expect(JSON.parse(String(found.stdout)).results[0]).toMatchObject({ documentId: 'docs/bread.html' })
    const other = await cli(['index', 'index.json', '--chunk-tokens', '32'], { cwd })
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('JOURNAL_MISMATCH') })
    expect(other.stderr).toContain('chunk options')
    writeFileSync(
      join(cwd, 'index.mjs'),
      `export default { inputs: ['docs'], to: 'parquet:./parts', chunk: false }`,
    )
    expect((await cli(['index', 'index.mjs', '--json'], { cwd })).code).toBe(0)
    expect(existsSync(join(cwd, 'parts', 'part-000000.parquet'))).toBe(true)
    writeFileSync(join(cwd, 'odd.json'), JSON.stringify({ input: 'docs' }))
    const odd = await cli(['index', 'odd.json'], { cwd })
    expect(odd).toMatchObject({ code: 2, stderr: expect.stringContaining("did you mean 'inputs'") })
  })

  it('reads records, lists what fails, and tells a program', async () => {
    const cwd = folder()
    writeFileSync(join(cwd, 'a.csv'), 'number,subject,body,year\n1,Hello,World,2020\n2,Bye,Now,2021\n')
    const csv = [
      'index',
      'a.csv',
      '--id',
      'number',
      '--text',
      'subject,body',
      '--metadata',
      'year',
      '--to',
      'a.jsonl',
      '--json',
    ]
    expect(summary((await cli(csv, { cwd })).stdout)).toMatchObject({ written: 2 })
    const [row] = records(readFileSync(join(cwd, 'a.jsonl')))
    expect(row).toMatchObject({ documentId: '1', text: 'Hello\n\nWorld', metadata: { year: '2020' } })
    expect(row.vector).toHaveLength(384)
    writeFileSync(join(cwd, 'b.jsonl'), '{"id":"x","text":"fine"}\nbroken\n')
    const plain = await cli(['index', 'b.jsonl', '--to', 'b.npy'], { cwd })
    expect(plain).toMatchObject({ code: 1, stderr: expect.stringContaining('b.jsonl:2') })
    const letters = ['index', 'b.jsonl', '--to', 'b.npy', '--dead-letters', 'failed.jsonl', '--json']
    const told = await cli(letters, { cwd })
    expect(told.code).toBe(3)
    expect(summary(told.stdout)).toMatchObject({ failed: 1 })
    expect(records(readFileSync(join(cwd, 'failed.jsonl')))).toMatchObject([
      { index: 1, code: 'INPUT_INVALID' },
    ])
    expect(readFileSync(join(cwd, 'b.npy')).toString('latin1', 0, 128)).toContain("'shape': (1, 384)")
  })

  it('goes on after an interrupt', async () => {
    const cwd = folder()
    const lines = Array.from({ length: 400 }, (_, i) => `line number ${i} of some more words than one`)
    writeFileSync(join(cwd, 'a.txt'), lines.join('\n'))
    const args = ['index', 'a.txt', '--to', 'a.jsonl', '--batch-records', '16', '--cache', 'kept']
    const stopped = await cli(args, {
      cwd,
      onStart(child) {
        // Once something is in the file.
        const timer = setInterval(() => {
          if (!existsSync(join(cwd, 'a.jsonl')) || readFileSync(join(cwd, 'a.jsonl')).length === 0) return
          clearInterval(timer)
          child.kill('SIGINT')
        }, 20)
        child.on('exit', () => clearInterval(timer))
      },
    })
    expect(stopped).toMatchObject({ code: 130, stderr: expect.stringContaining('goes on from here') })
    const rest = summary((await cli([...args, '--json'], { cwd })).stdout)
    expect(rest['unchanged']).toBeGreaterThan(0)
    expect((rest['unchanged'] ?? 0) + (rest['written'] ?? 0)).toBe(400)
    const texts = records(readFileSync(join(cwd, 'a.jsonl'))).map(({ text }) => text)
    expect(texts).toEqual(lines)
  })

  it('refuses what it cannot do', async () => {
    const cwd = folder()
    pages(cwd)
    const usage = async (...args: string[]) => {
      const { code, stderr } = await cli(['index', ...args], { cwd })
      expect(code, args.join(' ')).toBe(2)
      return stderr
    }
    expect(await usage('docs')).toContain('--to STORE')
    expect(await usage('docs', '--to', 'somewhere')).toContain('Stores:')
    expect(await usage('--to', 'a.jsonl')).toContain("'input'")
    expect(await usage('docs', '--to', 'a.jsonl', '--no-clean', '--min-length', '3')).toContain('--no-clean')
    expect(await usage('docs', '--to', 'a.jsonl', '--no-dense')).toContain('dense')
    expect(await usage('docs', '--to', 'lancedb:db/x', '--dtype', 'int8')).toContain('dtype')
    const missing = await cli(['index', 'none', '--to', 'a.jsonl'], { cwd })
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('ENOENT') })
    const model = await cli(['search', '--index', 'nothing.db', 'x'], { cwd })
    expect(model).toMatchObject({ code: 1, stderr: expect.stringContaining('SINK_FAILED') })
  })
})
