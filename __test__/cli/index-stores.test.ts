/** `millrace index` and `millrace search` over stores on a server, and what they print of them. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentServer } from '../support/silent-server.js'
import { cli, folder } from './cli.js'

let server: PGLiteSocketServer
let database: PGlite
let address: string

beforeAll(async () => {
  database = await PGlite.create({ extensions: { vector } })
  await database.exec('CREATE EXTENSION vector')
  const port = await freePort()
  server = new PGLiteSocketServer({ db: database, port, host: '127.0.0.1' })
  await server.start()
  address = `postgres://postgres:s3cret@127.0.0.1:${port}/postgres?sslmode=disable`
}, 120_000)
afterAll(async () => {
  await server.stop()
  await database.close()
})

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}

const pages = (cwd: string) => {
  mkdirSync(join(cwd, 'd'))
  writeFileSync(join(cwd, 'd', 'a.txt'), 'Rivers run to the sea.\n')
  writeFileSync(join(cwd, 'd', 'b.txt'), 'Hills stand still.\n')
}

describe('a store on a server', () => {
  it('has a journal in the working directory, and the same command goes on', async () => {
    const cwd = folder()
    pages(cwd)
    const args = ['index', 'd', '--to', `${address}#first`]
    const first = await cli(args, { cwd })
    expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining('2 documents written') })
    const [journal = ''] = readdirSync(join(cwd, '.millrace')).filter((name) => name.endsWith('.journal'))
    expect(journal).toMatch(/^first-[0-9a-f]{12}\.journal$/)
    expect(first.stderr).toContain(join('.millrace', journal))
    // Another password or user is the same store.
    const other = address.replace('s3cret', 'sesame')
    const again = await cli(['index', 'd', '--to', `${other}#first`, '--json'], { cwd })
    expect(JSON.parse(String(again.stdout))).toMatchObject({ written: 0, unchanged: 2 })
    for (const { stdout, stderr } of [first, again]) expect(`${stdout}${stderr}`).not.toMatch(/s3cret|sesame/)
  })

  it('is refused in the words of the command line where no journal knows it, and stays as it was', async () => {
    const cwd = folder()
    pages(cwd)
    const to = `${address}#refused`
    expect((await cli(['index', 'd', '--to', to, '-q'], { cwd })).code).toBe(0)
    const said = async () =>
      (
        await database.query(
          `SELECT col_description('refused'::regclass, attnum) AS said FROM pg_attribute
           WHERE attrelid = 'refused'::regclass AND attname = 'embedding'`,
        )
      ).rows
    const before = await said()
    rmSync(join(cwd, '.millrace'), { recursive: true })
    const refused = await cli(['index', 'd', '--to', to, '--dtype', 'binary'], { cwd })
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('SINK_FAILED') })
    expect(refused.stderr).toContain('--overwrite')
    expect(refused.stderr).toContain('--journal FILE')
    expect(refused.stderr).not.toMatch(/overwrite: true|s3cret/)
    expect(await said()).toEqual(before)
    expect(readdirSync(join(cwd, '.millrace')).filter((name) => name.endsWith('.journal'))).toEqual([])
    const found = await cli(['search', '--index', to, '--json', '--top', '1', 'rivers'], { cwd })
    expect(JSON.parse(String(found.stdout)).results).toMatchObject([
      { documentId: 'd/a.txt', chunk: 0, start: 0, end: 22 },
    ])
    // With other options the refused run left nothing in the way.
    const anew = await cli(['index', 'd', '--to', to, '--dtype', 'float16', '--overwrite', '--json'], { cwd })
    expect(JSON.parse(String(anew.stdout))).toMatchObject({ written: 2 })
    expect(String(anew.stdout)).not.toContain('s3cret')
  })

  it('that is gone is noticed', async () => {
    const cwd = folder()
    pages(cwd)
    const args = ['index', 'd', '--to', `${address}#gone`, '-q']
    expect((await cli(args, { cwd })).code).toBe(0)
    await database.exec('DROP TABLE gone')
    expect(await cli(args, { cwd })).toMatchObject({ code: 1, stderr: expect.stringContaining('is gone') })
  })

  it('that says nothing lets a search and an index go with the first Ctrl-C', async () => {
    for (const command of [
      ['index', 'd', '--to'],
      ['search', 'rivers', '--index'],
    ]) {
      const cwd = folder()
      pages(cwd)
      const silent = await silentServer()
      const to = `postgres://me:s3cret@127.0.0.1:${silent.port}/db`
      const ended = cli([...command, to], {
        cwd,
        onStart: (child) => silent.connected.then(() => child.kill('SIGINT')),
      })
      const { code, stderr } = await ended
      expect([command[0], code]).toEqual([command[0], 130])
      expect(stderr).not.toContain('s3cret')
      await silent.stop()
    }
  })
})

describe('what a store cannot do', () => {
  it('is said before a model is loaded, in the words of the command line', async () => {
    const cwd = folder()
    pages(cwd)
    const usage = async (...args: string[]) => {
      const { code, stderr } = await cli(['index', 'd', ...args], { cwd })
      expect(code, args.join(' ')).toBe(2)
      return stderr
    }
    expect(await usage('--to', 'x.jsonl', '--prune')).toContain('Expected no --prune with x.jsonl')
    expect(await usage('--to', 'x.db', '--prune', '--no-journal')).toContain('--no-journal')
    expect(await usage('--to', 'lancedb:./db/my docs')).toContain('letters, digits')
    expect(await usage('--to', 'postgres://me:s3#cret@host/db')).not.toMatch(/s3|cret/)
    expect(await usage('--to', 'mysql://me:s3cret@host/db')).not.toContain('s3cret')
    expect(readdirSync(cwd)).toEqual(['d'])
  })
})

describe('a store in a file', () => {
  it('that is gone, or of other dimensions, is told plainly', async () => {
    const cwd = folder()
    pages(cwd)
    const args = ['index', 'd', '--to', 'sqlite:s.db', '--dimensions', '128', '-q']
    expect((await cli(args, { cwd })).code).toBe(0)
    const short = await cli(['search', '--index', 'sqlite:s.db', 'rivers'], { cwd })
    expect(short).toMatchObject({ code: 1, stderr: expect.stringContaining('INPUT_INVALID') })
    expect(short.stderr).toContain('query of 128 dimensions')
    rmSync(join(cwd, 's.db'))
    const gone = await cli(args, { cwd })
    expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('s.db is gone') })
    expect(existsSync(join(cwd, 's.db'))).toBe(false)
    const typo = await cli(['search', '--index', 'sqlite:typo.db', 'rivers'], { cwd })
    expect(typo.stderr).toContain('There is no file typo.db')
    expect(existsSync(join(cwd, 'typo.db'))).toBe(false)
  })

  it('of JSON lines is searched, whatever levels its vectors have', async () => {
    const cwd = folder()
    pages(cwd)
    for (const dtype of ['float32', 'int8', 'uint8']) {
      const to = `${dtype}.jsonl`
      expect((await cli(['index', 'd', '--to', to, '--dtype', dtype, '-q'], { cwd })).code).toBe(0)
      const found = await cli(['search', '--index', to, '--json', 'rivers'], { cwd })
      expect(JSON.parse(String(found.stdout)).results[0]).toMatchObject({ text: 'Rivers run to the sea.' })
    }
    expect((await cli(['index', 'd', '--to', 'bits.jsonl', '--dtype', 'ubinary', '-q'], { cwd })).code).toBe(
      0,
    )
    expect(JSON.parse(readFileSync(join(cwd, 'bits.jsonl'), 'utf8').split('\n')[0] as string)).toMatchObject({
      dtype: 'ubinary',
    })
    const bits = await cli(['search', '--index', 'bits.jsonl', 'rivers'], { cwd })
    expect(bits).toMatchObject({ code: 1, stderr: expect.stringContaining("received 'ubinary'") })
  })
})
