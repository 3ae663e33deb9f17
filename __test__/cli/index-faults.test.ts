/** `millrace index` where people meet trouble: ids, missing disks, files of Excel, configurations, caches that are away. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { cli, folder, records } from './cli.js'

function twoFolders(): string {
  const cwd = folder()
  mkdirSync(join(cwd, 'd'))
  mkdirSync(join(cwd, 'e'))
  writeFileSync(join(cwd, 'd', 'a.txt'), 'Rivers drive mills.\n')
  writeFileSync(join(cwd, 'e', 'a.txt'), 'Hills have springs.\n')
  writeFileSync(join(cwd, 'n.txt'), 'one line\n')
  return cwd
}

const report = (stdout: Buffer) => JSON.parse(String(stdout)) as Record<string, number>

// jgravelle/jdocmunch-mcp#81: one input, then two; `d` and `./d`.
it('gives a document the same id however its path was spelled and whatever else was indexed', async () => {
  const cwd = twoFolders()
  const index = async (...inputs: string[]) =>
    report((await cli(['index', ...inputs, '--to', 's.db', '--json'], { cwd })).stdout)
  expect(await index('d')).toMatchObject({ written: 1 })
  expect(await index('d', 'e')).toMatchObject({ written: 1, unchanged: 1 })
  expect(await index('./d/', join(cwd, 'e'))).toMatchObject({ written: 0, unchanged: 2 })
  expect(await index('d/../d/a.txt', '--from', 'files', '--prune-all')).toMatchObject({
    unchanged: 1,
    pruned: 1,
  })
  expect(await index('./n.txt')).toMatchObject({ written: 1 })
  expect(await index('n.txt', 'd')).toMatchObject({ written: 0, unchanged: 2 })
})

it('does not empty a store because an input is empty, unless told so', async () => {
  const cwd = twoFolders()
  const index = (...args: string[]) => cli(['index', ...args, '--to', 's.db', '--json'], { cwd })
  await index('d', 'e')
  rmSync(join(cwd, 'e', 'a.txt'))
  const away = await index('d', 'e', '--prune')
  expect(away).toMatchObject({ code: 1, stderr: expect.stringContaining('--prune-all') })
  expect(await index('e', '--prune')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('2 documents'),
  })
  expect(report((await index('d', 'e', '--prune-all')).stdout)).toMatchObject({ pruned: 1, unchanged: 1 })
  const limited = await index('d', '--prune', '--limit', '1')
  expect(limited).toMatchObject({ code: 2, stderr: expect.stringContaining('--limit') })
})

it('reads what Excel writes in western Europe, and puts faulty rows into the dead letters', async () => {
  const cwd = folder()
  const rows = 'nr;text;preis\n1;Stra\xdfe;0,5\n2;zu kurz\n3;5 \x80;1\n'
  writeFileSync(join(cwd, 'a.csv'), Buffer.from(rows, 'latin1'))
  const args = [
    'index',
    'a.csv',
    '--delimiter',
    ';',
    '--encoding',
    'windows-1252',
    '--id',
    'nr',
    '--metadata',
    'all',
  ]
  const result = await cli([...args, '--to', 'a.jsonl', '--dead-letters', 'dead.jsonl'], { cwd })
  expect(result.code).toBe(3)
  expect(records(readFileSync(join(cwd, 'a.jsonl')))).toMatchObject([
    { documentId: '1', text: 'Straße', metadata: { preis: '0,5' } },
    { documentId: '3', text: '5 €' },
  ])
  expect(records(readFileSync(join(cwd, 'dead.jsonl')))).toMatchObject([
    { documentId: 'a.csv:3', code: 'INPUT_INVALID', message: expect.stringContaining('a.csv:3') },
  ])
  const other = await cli([...args.slice(0, 4), '--to', 'b.jsonl', '--no-header', '--text', '2'], { cwd })
  expect(other).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('a.csv:2: the bytes are not UTF-8'),
  })
})

it('refuses options that no input has a use for, and says so of misspelt fields', async () => {
  const cwd = twoFolders()
  writeFileSync(join(cwd, 'r.jsonl'), '{"id":"a","text":"one","year":1}\n')
  const delimiter = await cli(['index', 'd', '--to', 'a.jsonl', '--delimiter', ';'], { cwd })
  expect(delimiter).toMatchObject({ code: 2, stderr: expect.stringContaining('--delimiter') })
  const misspelt = await cli(['index', 'r.jsonl', '--to', 'b.jsonl', '--metadata', 'yaer'], { cwd })
  expect(misspelt.code).toBe(0)
  expect(misspelt.stderr).toContain(
    "millrace: warning: No record of r.jsonl has the field 'yaer', did you mean 'year'?",
  )
  expect(misspelt.stderr).not.toContain('trace-warnings')
})

it('checks the values of a configuration as those of options', async () => {
  const cwd = twoFolders()
  writeFileSync(join(cwd, 'r.jsonl'), '{"id":"a","title":"T","body":"B","year":1}\n')
  const index = (config: object, ...args: string[]) => {
    writeFileSync(join(cwd, 'c.json'), JSON.stringify({ to: 'x.jsonl', inputs: ['d'], ...config }))
    return cli(['index', 'c.json', ...args], { cwd })
  }
  const wrong: [object, string][] = [
    [{ from: 'excel' }, "one of 'folder', 'files', 'lines', 'jsonl', 'csv', 'parquet' for 'from' in c.json"],
    [{ inputs: 5 }, "path, or non-empty array of paths for 'inputs' in c.json"],
    [{ to: 5 }, "for 'to' in c.json but received 5"],
    [{ chunkTokens: 'many' }, "whole number for 'chunkTokens'"],
    [{ prune: 'yes' }, "boolean for 'prune'"],
    [{ journal: 7 }, "for 'journal'"],
    [{ duplicates: true }, "one of 'exact', 'near' for 'duplicates'"],
    [{ text: [] }, "for 'text'"],
  ]
  for (const [config, message] of wrong) {
    expect(await index(config), message).toMatchObject({ code: 2, stderr: expect.stringContaining(message) })
  }
  const same = {
    inputs: 'r.jsonl',
    metadata: 'all',
    text: 'title,body',
    chunkTokens: 64,
    journal: false,
    cache: 'memory',
  }
  expect(await index(same, '--quiet')).toMatchObject({ code: 0, stderr: '' })
  expect(records(readFileSync(join(cwd, 'x.jsonl')))).toMatchObject([
    { text: 'T\n\nB', metadata: { year: 1 } },
  ])
})

it('reads standard input', async () => {
  const cwd = folder()
  expect(await cli(['index', '-', '--to', 'a.jsonl'], { cwd, input: 'one\ntwo\n' })).toMatchObject({
    code: 0,
  })
  expect(records(readFileSync(join(cwd, 'a.jsonl')))).toMatchObject([
    { documentId: 'stdin:1' },
    { documentId: 'stdin:2' },
  ])
})

it.skipIf(process.platform === 'win32')('embeds what comes through a named pipe', async () => {
  const cwd = folder()
  execFileSync('mkfifo', [join(cwd, 'pipe')])
  const writer = cli(['--version'], { cwd }).then(() =>
    execFileSync('sh', ['-c', 'printf "a\\nb\\n" > pipe'], { cwd }),
  )
  const result = await cli(['embed', 'pipe', '--output', 'a.npy'], { cwd })
  await writer
  expect(result).toMatchObject({ code: 0, stderr: expect.stringContaining('2 texts') })
})

// redis/ioredis#285, redis/node-redis#2205, openclaw/openclaw#12904: all is done, and the command does not end.
it('ends, and warns once, while Redis is away or says nothing', async () => {
  const cwd = twoFolders()
  const held = new Set<Socket>()
  const silent = createServer((socket) => held.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as { port: number }
  try {
    for (const [at, address] of [`redis://127.0.0.1:${port}`, 'redis://127.0.0.1:1'].entries()) {
      // The runner kills a command that hangs, which has no exit code.
      const { code, stderr } = await cli(['index', 'd', '--to', `${at}.jsonl`, '--cache', address], { cwd })
      expect(code).toBe(0)
      expect(stderr.match(/cache in Redis cannot be used/g)).toHaveLength(1)
    }
  } finally {
    for (const socket of held) socket.destroy()
    silent.close()
  }
})

it.skipIf(process.platform === 'win32')(
  'ends with the first SIGTERM while a cache says nothing',
  async () => {
    const cwd = folder()
    writeFileSync(join(cwd, 'a.txt'), Array.from({ length: 20_000 }, (_, i) => `line ${i}`).join('\n'))
    const held = new Set<Socket>()
    let connected = () => {}
    const first = new Promise<void>((resolve) => {
      connected = resolve
    })
    const silent = createServer((socket) => {
      held.add(socket.on('error', () => {}))
      connected()
    })
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    try {
      const args = ['index', 'a.txt', '--to', 'a.jsonl', '--cache', `redis://127.0.0.1:${port}`]
      const result = await cli(args, {
        cwd,
        onStart: (child) => void first.then(() => child.kill('SIGTERM')),
      })
      expect(result.code).toBe(143)
    } finally {
      for (const socket of held) socket.destroy()
      silent.close()
    }
  },
)
